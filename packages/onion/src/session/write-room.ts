import { type MemoryWaiter, type SessionMemory } from './memory-budget.ts'
import { type Recovery } from './recovery.ts'
import { type SessionStream } from './session-stream.ts'
import { StreamQueue } from './stream-queue.ts'
import { MAX_SEND_MARK, MIN_SEND_MARK, WRITE_CHUNK } from './tuning.ts'

/** How much the streams of a session may buffer to be sent, and which of those that were full are told that they may write again. */
export class WriteRoom implements MemoryWaiter {
  readonly #memory: SessionMemory
  readonly #recovery: Recovery
  readonly #payloadLength: number
  readonly #announce: () => void
  /** Streams that may write again; that wait for memory. */
  readonly #drained = new StreamQueue<SessionStream>()
  readonly #starving = new StreamQueue<SessionStream>()

  /** @param announce called when tell() has something to do that no packet of this session brought about */
  constructor(memory: SessionMemory, recovery: Recovery, payloadLength: number, announce: () => void) {
    this.#memory = memory
    this.#recovery = recovery
    this.#payloadLength = payloadLength
    this.#announce = announce
  }

  /** True when tell() has something to do. */
  get hasNews(): boolean {
    return this.#drained.size > 0
  }

  get isStarving(): boolean {
    return this.#starving.size > 0
  }

  /** Bytes that a stream may hold: two windows in flight, no more than the other side takes, none beyond the memory budget. */
  mark(stream: SessionStream): number {
    if (!this.#memory.hasShare) return 0
    const { capacity, allowed } = stream.send
    const flight = Math.max(2 * this.#recovery.controller.window * this.#payloadLength, MIN_SEND_MARK)
    // What is written when there is room for a byte more may have a whole chunk. Whoever holds nothing may always begin.
    const room = Math.max(1, this.#memory.reach(capacity) - WRITE_CHUNK)
    return Math.min(flight, allowed + WRITE_CHUNK, MAX_SEND_MARK, room)
  }

  /** A full stream has less to hold, or may hold more. */
  check(stream: SessionStream): void {
    if (!this.#memory.hasShare) {
      this.#starving.add(stream)
      this.#memory.budget.wait(this)
    } else if (stream.send.buffered <= this.mark(stream) / 2) this.#drained.add(stream)
  }

  /** Tells streams that they may write again. */
  tell(): void {
    for (let stream = this.#drained.shift(); stream !== undefined; stream = this.#drained.shift())
      if (stream.isFull && stream.state !== 'closed') {
        stream.isFull = false
        stream.handler.onDrain?.()
      }
  }

  /** The shared budget has memory again: one stream that waits for it may write, if the session has not used up its share. */
  onMemory(): boolean {
    let isUsed = false
    while (!isUsed && this.#memory.hasShare && this.#starving.size > 0) {
      const stream = this.#starving.shift()
      // Whoever holds more is looked at again when that is acknowledged.
      if (stream === undefined || stream.send.buffered > this.mark(stream) / 2) continue
      this.#drained.add(stream)
      isUsed = true
    }
    if (this.#starving.size > 0) this.#memory.budget.wait(this)
    if (isUsed) this.#announce()
    return isUsed
  }

  /**
   * Nothing of this session is sent or could be, so nothing of it gives memory back. One stream that holds nothing, and whose bytes the
   * other side would take, may write: without that all would wait for other sessions, for ever if those stand still.
   */
  onIdle(): void {
    for (let left = this.#starving.size; left > 0; left--) {
      const stream = this.#starving.shift()
      if (stream === undefined) return
      if (stream.send.buffered === 0 && stream.send.allowed > 0) return this.#drained.add(stream)
      this.#starving.add(stream)
    }
  }

  /** The session is over. */
  clear(): void {
    this.#memory.budget.forget(this)
    this.#drained.clear()
    this.#starving.clear()
  }
}
