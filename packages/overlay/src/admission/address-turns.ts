import { abortError, throwIfAborted, isLoopback } from '@weft/core'
import { addressGroup } from '../network/address-group.ts'

export interface TurnLimits {
  /** Tasks that run at once, and that wait. */
  readonly atOnce: number
  readonly waiting: number
  /** The same for one address (one /64 for IPv6). Loopback has no limit of its own: a devnet's nodes are all there. */
  readonly atOncePerAddress: number
  readonly waitingPerAddress: number
}

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

/** Turns for work that callers cause. Those who wait are taken address by address, so that none holds up the others. */
export class AddressTurns {
  readonly #limits: TurnLimits
  /** By address; the one that was served longest ago is first. */
  readonly #lines = new Map<string, Line>()
  #running = 0
  #waiting = 0

  constructor(limits: TurnLimits) {
    this.#limits = limits
  }

  /** Whether a task of this address could run now or may wait. */
  hasRoom(address: string): boolean {
    const group = addressGroup(address)
    if (this.#isFree(group)) return true
    const { waiting, waitingPerAddress } = this.#limits
    if (this.#waiting >= waiting) return false
    return isLoopback(group) || (this.#lines.get(group)?.waiting.length ?? 0) < waitingPerAddress
  }

  /** Runs the task when its turn comes; call `hasRoom` right before. @throws WeftError E_ABORTED and what the task throws */
  async use<T>(address: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal)
    const group = addressGroup(address)
    const line = this.#lineOf(group)
    if (this.#isFree(group)) this.#begin(group, line)
    else await this.#wait(group, line, signal)
    try {
      return await task()
    } finally {
      line.running--
      this.#running--
      this.#lines.delete(group)
      // To the end: the others are served first.
      if (line.running + line.waiting.length > 0) this.#lines.set(group, line)
      this.#next()
    }
  }

  #isFree(group: string): boolean {
    const { atOnce, atOncePerAddress } = this.#limits
    if (this.#running >= atOnce) return false
    return isLoopback(group) || (this.#lines.get(group)?.running ?? 0) < atOncePerAddress
  }

  #begin(group: string, line: Line): void {
    line.running++
    this.#running++
    this.#lines.delete(group)
    this.#lines.set(group, line)
  }

  async #wait(group: string, line: Line, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const start = (): void => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    const onAbort = (): void => {
      line.waiting.splice(line.waiting.indexOf(start), 1)
      this.#waiting--
      if (line.running + line.waiting.length === 0) this.#lines.delete(group)
      reject(abortError(signal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    line.waiting.push(start)
    this.#waiting++
    await promise
  }

  #next(): void {
    for (const [group, line] of this.#lines) {
      if (line.waiting.length === 0 || !this.#isFree(group)) continue
      const start = line.waiting.shift()
      this.#waiting--
      this.#begin(group, line)
      start?.()
      return
    }
  }

  #lineOf(group: string): Line {
    const line = this.#lines.get(group) ?? { running: 0, waiting: [] }
    this.#lines.set(group, line)
    return line
  }
}
