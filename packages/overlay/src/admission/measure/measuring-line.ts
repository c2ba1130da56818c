import { type Clock, abortError, throwIfAborted } from '@weft/core'
import { addressGroup } from '../../network/address-group.ts'

/** For whom is measured. */
export interface MeasuredSide {
  /** It holds a certificate. */
  readonly renewal: boolean
  /** From where it applies. */
  readonly address: string
}

interface Waiting {
  readonly side: MeasuredSide
  readonly start: () => void
}

/** ms for which it counts how long an address was measured, and addresses that are remembered, the newest ones. */
const REMEMBERED_MS = 600_000
const MAX_ADDRESSES = 4_096

/** ms that members that renew may have taken more than newcomers: about the longest measurement. */
const HEAD_START_MS = 10_000

/**
 * One measurement after the other: two at once would each see a part of the validator's own line. Whose address (one /64 for
 * IPv6) took the least time lately comes first, and members that renew have a head start: a few that answer slowly, again and
 * again, keep nobody else waiting for long.
 */
export class MeasuringLine {
  readonly #clock: Clock
  readonly #waiting: Waiting[] = []
  /** In order of last use. */
  readonly #used = new Map<string, { readonly ms: number; readonly at: number }>()
  #busy = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws WeftError E_ABORTED and what the task throws */
  async use<T>(side: MeasuredSide, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    throwIfAborted(signal)
    if (this.#busy) await this.#wait(side, signal)
    this.#busy = true
    const begin = this.#clock.monotonic()
    try {
      return await task()
    } finally {
      this.#note(side, this.#clock.monotonic() - begin)
      this.#next()
    }
  }

  async #wait(side: MeasuredSide, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      reject(abortError(signal))
    }
    const start = (): void => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }
    const waiting = { side, start }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.push(waiting)
    await promise
  }

  /** The line stays busy for the one that is let in: nobody comes between. */
  #next(): void {
    // Stable: of equals who came first.
    const [next] = this.#waiting.toSorted(({ side: a }, { side: b }) => this.#rank(a) - this.#rank(b))
    this.#busy = next !== undefined
    if (next === undefined) return
    this.#waiting.splice(this.#waiting.indexOf(next), 1)
    next.start()
  }

  #rank(side: MeasuredSide): number {
    return this.#usedBy(side) - (side.renewal ? HEAD_START_MS : 0)
  }

  #usedBy({ address }: MeasuredSide): number {
    const used = this.#used.get(addressGroup(address))
    return used === undefined || this.#clock.monotonic() - used.at > REMEMBERED_MS ? 0 : used.ms
  }

  #note(side: MeasuredSide, ms: number): void {
    const group = addressGroup(side.address)
    const total = this.#usedBy(side) + ms
    this.#used.delete(group)
    this.#used.set(group, { ms: total, at: this.#clock.monotonic() })
    const oldest = this.#used.keys().next().value
    if (this.#used.size > MAX_ADDRESSES && oldest !== undefined) this.#used.delete(oldest)
  }
}
