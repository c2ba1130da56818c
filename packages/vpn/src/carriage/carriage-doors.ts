import { type Clock, isLoopback } from '@weft/core'
import { limitPrefix } from '@weft/onion'
import {
  CONNECTION_RATE,
  MAX_CONNECTIONS,
  PENDING_CONNECTIONS,
  PREFIX_CONNECTIONS,
  PREFIX_RATE,
} from './carriage-limits.ts'

/** What one prefix holds, and how many of its connections came within the second at hand. */
interface Held {
  open: number
  readonly rate: SecondCount
}

/** Counts up to so many a second. */
class SecondCount {
  readonly #most: number
  #second = 0
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  take(now: number): boolean {
    const second = Math.floor(now / 1_000)
    if (this.#second !== second) {
      this.#second = second
      this.#count = 0
    }
    this.#count++
    return this.#count <= this.#most
  }
}

/** A connection that has just come. */
export interface Caller {
  destroy(): unknown
}

/**
 * Who may come in by TCP: so many connections in all, of an address (an IPv6 /64), of it in a second, and without a preface yet. Of those the
 * oldest gives way, so that silent ones do not keep others out.
 */
export class CarriageDoors {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #held = new Map<string, Held>()
  readonly #pending = new Set<Caller>()
  readonly #rate = new SecondCount(CONNECTION_RATE)
  #open = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Takes a place; the returned function gives it back, once. Undefined when there is none. */
  enter(caller: Caller, address: string): (() => void) | undefined {
    const prefix = limitPrefix(address)
    const held = this.#held.get(prefix) ?? { open: 0, rate: new SecondCount(PREFIX_RATE) }
    if (this.#open >= MAX_CONNECTIONS) return undefined
    // Nodes and clients of a devnet share it.
    if (!isLoopback(address) && !this.#mayEnter(held)) return undefined
    this.#held.set(prefix, held)
    held.open++
    this.#open++
    this.#pending.add(caller)
    const [oldest] = this.#pending
    if (oldest !== undefined && this.#pending.size > PENDING_CONNECTIONS) {
      this.#pending.delete(oldest)
      oldest.destroy()
    }
    return () => {
      this.#pending.delete(caller)
      this.#open--
      held.open--
      if (held.open === 0) this.#held.delete(prefix)
    }
  }

  /** It showed that it knows the link key. */
  passed(caller: Caller): void {
    this.#pending.delete(caller)
  }

  #mayEnter(held: Held): boolean {
    const now = this.#clock.monotonic()
    return held.open < PREFIX_CONNECTIONS && held.rate.take(now) && this.#rate.take(now)
  }
}
