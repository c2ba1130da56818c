import { type MemoryWaiter, type SessionMemory } from './memory-budget.ts'
import { type Recovery } from './recovery.ts'
import { type SessionStream } from './session-stream.ts'
import { StreamQueue } from './stream-queue.ts'
import { type StreamTable } from './stream-table.ts'
import { MAX_SEND_MARK, MIN_SEND_MARK, WRITE_CHUNK } from './tuning.ts'

/** How much the streams of a session may buffer to be sent, and which of those that were full are told that they may write again. */
export class WriteRoom implements MemoryWaiter {
  readonly #memory: SessionMemory
  readonly #recovery: Recovery
  readonly #payloadLength: number
  readonly #isIdle: () => boolean
  readonly #announce: () => void
  /** Streams that were full and have less to hold now, or may hold more, in the order of their turns. */
  readonly #waiting = new StreamQueue<SessionStream>()

  /**
   * @param isIdle whether no bytes of streams are in flight or could be sent, so that nothing of the session gives memory back
   * @param announce called when tell() has something to do that no packet of this session brought about
   */
  constructor(
    memory: SessionMemory,
    recovery: Recovery,
    payloadLength: number,
    isIdle: () => boolean,
    announce: () => void,
  ) {
    this.#memory = memory
    this.#recovery = recovery
    this.#payloadLength = payloadLength
    this.#isIdle = isIdle
    this.#announce = announce
  }

  /** True when tell() has something to do. */
  get hasNews(): boolean {
    return this.#waiting.size > 0 && this.#memory.hasShare
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

  /** A full stream has less to hold, or may hold more: tell() looks whether that is enough. */
  check(stream: SessionStream): void {
    this.#waiting.add(stream)
  }

  /** The stream is over. */
  forget(stream: SessionStream): void {
    this.#waiting.remove(stream)
  }

  /** Tells streams that they may write again, one after another as far as the session's share of the memory goes; the others wait. */
  tell(): void {
    // Whoever is told may write later, and be stopped by onWritten() then: no more are told than could write a piece each.
    for (let left = this.#memory.pieces; left > 0 && this.#memory.hasShare; left--) {
      const stream = this.#firstFit()
      if (stream === undefined) return
      this.#waiting.shift()
      drained(stream)
    }
    if (this.#waiting.size === 0) return
    if (!this.#memory.hasShare && this.#isIdle()) this.#tellUntilOneWrites()
    if (this.#waiting.size > 0) this.#memory.budget.wait(this)
  }

  /**
   * Has one stream write beyond the share that holds nothing, and of which the other side takes all that it may bring. Without that all
   * would wait for other sessions, for ever if those stand still. Who has nothing to write leaves the turn to the next: the first that
   * has stops the others.
   */
  #tellUntilOneWrites(): void {
    const { held } = this.#memory
    for (let left = this.#waiting.size; left > 0 && this.#memory.held === held; left--) {
      const stream = this.#waiting.shift()
      if (stream === undefined || !isFull(stream)) continue
      if (stream.send.buffered === 0 && stream.send.allowed >= WRITE_CHUNK) drained(stream)
      else this.#waiting.add(stream)
    }
  }

  /** A stream took memory: if that was the last of the session's share, streams that hold nothing give theirs back, and all others are stopped. */
  onWritten(table: StreamTable): void {
    if (this.#memory.hasShare) return
    const streams = table.all()
    for (const { send } of streams) send.giveBack()
    if (this.#memory.hasShare) return
    for (const stream of streams) {
      if (stream.isFull || stream.state !== 'open' || stream.send.isEnded) continue
      stream.isFull = true
      this.#waiting.add(stream)
      stream.handler.onFull?.()
    }
    this.#memory.budget.wait(this)
  }

  /** The first that may write. Those before it hold too much: they are looked at again when some of it is acknowledged. */
  #firstFit(): SessionStream | undefined {
    for (let { first } = this.#waiting; first !== undefined; { first } = this.#waiting) {
      if (isFull(first) && first.send.buffered <= this.mark(first) / 2) return first
      this.#waiting.shift()
    }
    return undefined
  }

  /** The shared budget has memory again; it is of use if the session has not used up its share. */
  onMemory(): boolean {
    if (this.#memory.hasShare) {
      const isUsed = this.#firstFit() !== undefined
      if (isUsed) this.#announce()
      return isUsed
    }
    if (this.#waiting.size > 0) this.#memory.budget.wait(this)
    return false
  }

  /** The session is over. */
  clear(): void {
    this.#memory.budget.forget(this)
    this.#waiting.clear()
  }
}

function isFull(stream: SessionStream): boolean {
  return stream.isFull && stream.state !== 'closed'
}

function drained(stream: SessionStream): void {
  stream.isFull = false
  stream.handler.onDrain?.()
}
