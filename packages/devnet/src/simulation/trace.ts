import { type Hash, createHash } from 'node:crypto'

/** Characters that are gathered before they are hashed and handed on. */
const BATCH = 64 * 1024

/**
 * What happened in a simulation, one line an event: the virtual time in ms since its beginning, then the event. Lines
 * are hashed as they come, so that two runs can be compared without keeping them: the same seed gives the same bytes.
 */
export class Trace {
  readonly #hash: Hash = createHash('sha256')
  readonly #sink: ((lines: string) => void) | undefined
  #pending = ''
  #events = 0

  /** @param sink takes the lines, some at a time, in order; each ends with a line feed */
  constructor(sink?: (lines: string) => void) {
    this.#sink = sink
  }

  /** Lines so far. */
  get events(): number {
    return this.#events
  }

  /** @param at ms since the simulation began @param event one line */
  note(at: number, event: string): void {
    this.#events++
    this.#pending += `${at.toFixed(3)} ${event}\n`
    if (this.#pending.length >= BATCH) this.flush()
  }

  /** Hands on what is gathered. */
  flush(): void {
    if (this.#pending === '') return
    this.#hash.update(this.#pending)
    this.#sink?.(this.#pending)
    this.#pending = ''
  }

  /** SHA-256 of all lines so far, as hex. */
  digest(): string {
    this.flush()
    return this.#hash.copy().digest('hex')
  }
}
