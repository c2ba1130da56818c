import { INITIAL_STREAMS, STREAM_ID_STEP } from './protocol.ts'
import { RangeSet } from './range-set.ts'
import { type SessionStream } from './session-stream.ts'
import { SessionViolation } from './session-violation.ts'

/** MAX_STREAMS is told when so many streams were closed since it was told last. */
const TELL_EVERY = 64

/** The streams of a session by id, and how many there may be. */
export class StreamTable {
  readonly #streams = new Map<number, SessionStream>()
  /** Indices (id / 4) that there ever were. */
  readonly #seen = new RangeSet()
  #closed = 0
  /** Client: how many were opened, and may be; exit: how many the client may open. */
  #opened = 0
  #limit = INITIAL_STREAMS

  get size(): number {
    return this.#streams.size
  }

  find(id: number): SessionStream | undefined {
    return this.#streams.get(id)
  }

  /** Whether bytes of any stream were sent and are not acknowledged. */
  get hasDataInFlight(): boolean {
    for (const { send } of this.#streams.values()) if (send.isInFlight) return true
    return false
  }

  values(): Iterable<SessionStream> {
    return this.#streams.values()
  }

  all(): SessionStream[] {
    return [...this.#streams.values()]
  }

  clear(): void {
    this.#streams.clear()
  }

  /** Client: the id of the next stream, undefined while the exit allows none. */
  nextId(): number | undefined {
    return this.#opened < this.#limit ? this.#opened++ * STREAM_ID_STEP : undefined
  }

  add(id: number, stream: SessionStream): void {
    this.#streams.set(id, stream)
    const index = id / STREAM_ID_STEP
    this.#seen.add(index, index + 1)
  }

  /** Client: the stream that a frame names, undefined when it is over. @throws SessionViolation when it was never opened */
  known(id: number): SessionStream | undefined {
    if (id >= this.#opened * STREAM_ID_STEP) throw new SessionViolation(`stream ${id} was never opened`)
    return this.#streams.get(id)
  }

  /** Exit: true when there never was a stream `id`. @throws SessionViolation above the limit */
  isNew(id: number): boolean {
    const index = id / STREAM_ID_STEP
    if (index >= this.#limit) throw new SessionViolation(`stream ${id} is above the limit of ${this.#limit} streams`)
    return !this.#seen.has(index)
  }

  raiseLimit(limit: number): void {
    this.#limit = Math.max(this.#limit, limit)
  }

  /** Forgets a stream; true when the exit now must tell a new limit. */
  remove(id: number): boolean {
    if (!this.#streams.delete(id)) return false
    this.#closed++
    if (this.#closed + INITIAL_STREAMS - this.#limit < TELL_EVERY) return false
    return true
  }

  /** Exit: the new limit: as many as ever closed, and those that may live at once. */
  renewLimit(): number {
    this.#limit = this.#closed + INITIAL_STREAMS
    return this.#limit
  }
}
