import { type Clock, systemClock } from '@weft/core'

/** Lines of one message that are written in each window. */
export const LINES_PER_WINDOW = 20
/** ms. */
export const WINDOW_MS = 60_000
/** Messages are constants of the code; this only bounds the memory should one ever not be. */
const MAX_MESSAGES = 1_000

interface Window {
  endsAt: number
  written: number
  leftOut: number
}

/**
 * Keeps a peer that causes one line again and again from filling the log and wearing the disk: of each message 20 lines
 * a minute are written. The last of them says that more are left out, the first of the next minute how many were.
 */
export class LineLimiter {
  readonly #clock: Clock
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Fields to add to the line; undefined when it is to be left out. */
  admit(message: string): Readonly<Record<string, number>> | undefined {
    const now = this.#clock.monotonic()
    const open = this.#windows.get(message)
    if (open !== undefined && now < open.endsAt) {
      if (open.written >= LINES_PER_WINDOW) {
        open.leftOut++
        return undefined
      }
      open.written++
      return open.written < LINES_PER_WINDOW ? {} : { restLeftOutForMs: Math.ceil(open.endsAt - now) }
    }
    // Re-inserted so that the map's order is the age of the windows.
    this.#windows.delete(message)
    this.#windows.set(message, { endsAt: now + WINDOW_MS, written: 1, leftOut: 0 })
    if (this.#windows.size > MAX_MESSAGES) {
      const [oldest] = this.#windows.keys()
      if (oldest !== undefined) this.#windows.delete(oldest)
    }
    return open === undefined || open.leftOut === 0 ? {} : { leftOut: open.leftOut }
  }
}
