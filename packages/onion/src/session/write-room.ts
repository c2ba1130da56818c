import { type MemoryUser, type SessionMemory } from './memory-budget.ts'
import { type SessionLegs } from './session-legs.ts'
import { type SessionStream } from './session-stream.ts'
import { StreamQueue } from './stream-queue.ts'
import { type StreamTable } from './stream-table.ts'
import { MAX_SEND_MARK, MIN_SEND_MARK, WRITE_CHUNK } from './tuning.ts'

/** How much the streams of a session may buffer to be sent, and which of those that were full are told that they may write again. */
export class WriteRoom implements MemoryUser {
  readonly #memory: SessionMemory
  readonly #legs: SessionLegs
  readonly #payloadLength: number
  readonly #table: StreamTable
  readonly #isIdle: () => boolean
  readonly #announce: () => void
  /** Streams that were full and have less to hold now, or may hold more, in the order of their turns. */
  readonly #waiting = new StreamQueue<SessionStream>()
  /** Streams that may write at any time, in the order in which they were told so: to be stopped when memory is short. */
  readonly #writing = new Set<SessionStream>()

  /**
   * @param isIdle whether no bytes of streams are in flight or could be sent, so that nothing of the session gives memory back
   * @param announce called when tell() has something to do that no packet of this session brought about
   */
  constructor(
    memory: SessionMemory,
    legs: SessionLegs,
    payloadLength: number,
    table: StreamTable,
    isIdle: () => boolean,
    announce: () => void,
  ) {
    this.#memory = memory
    this.#legs = legs
    this.#payloadLength = payloadLength
    this.#table = table
    this.#isIdle = isIdle
    this.#announce = announce
    memory.user = this
  }

  /** True when tell() has something to do. */
  get hasNews(): boolean {
    return this.#waiting.size > 0 && this.#memory.hasShare
  }

  /** Bytes that a stream may hold: two windows in flight, no more than the other side takes, none beyond the memory budget. */
  mark(stream: SessionStream): number {
    if (!this.#memory.hasShare) return 0
    const { capacity, allowed } = stream.send
    const flight = Math.max(2 * this.#legs.window * this.#payloadLength, MIN_SEND_MARK)
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
    this.#writing.delete(stream)
  }

  /** Tells streams that they may write again, one after another as far as the session's share of the memory goes; the others wait. */
  tell(): void {
    if (this.#waiting.size > 0) this.#tellInTurn()
    this.#memory.budget.goOn()
  }

  #tellInTurn(): void {
    if (this.#isStuck()) this.#giveBack()
    for (let left = this.#memory.pieces; left > 0 && this.#memory.hasShare; left--) {
      const stream = this.#firstFit()
      if (stream === undefined) return
      this.#waiting.shift()
      this.#drained(stream)
    }
    if (this.#waiting.size === 0) return
    const isStarved = this.#isStuck() && !this.#tellUntilOneWrites()
    if (this.#waiting.size > 0) this.#memory.wait(isStarved)
  }

  /** Only what other sessions give back would let this one go on. */
  #isStuck(): boolean {
    return !this.#memory.hasShare && this.#isIdle()
  }

  /**
   * Has one stream write beyond the share that holds nothing, and of which the other side takes all that it may bring. Without that all
   * would wait for other sessions, for ever if those stand still. Who has nothing to write leaves the turn to the next: the first that
   * has stops the others. False when there is no memory for it.
   */
  #tellUntilOneWrites(): boolean {
    if (!this.#memory.beginTurn()) return false
    for (let left = this.#waiting.size; left > 0 && this.#memory.isTurn; left--) {
      const stream = this.#waiting.shift()
      if (stream === undefined || !isFull(stream)) continue
      if (stream.send.buffered === 0 && stream.send.allowed >= WRITE_CHUNK) this.#drained(stream)
      else this.#waiting.add(stream)
    }
    return true
  }

  #drained(stream: SessionStream): void {
    stream.isFull = false
    this.let(stream)
    stream.handler.onDrain?.()
  }

  /** The stream may write from now on, until onFull. */
  let(stream: SessionStream): void {
    this.#writing.add(stream)
    this.#memory.watch(stream.send.growth)
  }

  /** A stream took memory: all, of any session, that could take more than there is for them now are stopped. */
  onWritten(stream: SessionStream): void {
    if (stream.isFull) this.#writing.delete(stream)
    else this.let(stream)
    this.#memory.endTurn()
    this.#memory.budget.review()
  }

  /** Streams that hold nothing give their memory back; those that may write and hold more than they may now, or could, are stopped. */
  onShort(): void {
    this.#memory.endTurn()
    if (!this.#memory.hasShare) this.#giveBack()
    let growth = 0
    let isStopped = false
    for (const stream of this.#writing) {
      const isOver = stream.isFull || stream.state === 'closed' || stream.send.isEnded
      if (!isOver && stream.send.buffered < this.mark(stream)) {
        growth = Math.max(growth, stream.send.growth)
        continue
      }
      this.#writing.delete(stream)
      if (isOver) continue
      isStopped = true
      stream.isFull = true
      this.#waiting.add(stream)
      stream.handler.onFull?.()
    }
    this.#memory.rewatch(this.#writing.size > 0, growth)
    if (!isStopped) return
    this.#memory.wait(false)
    this.#announce()
  }

  #giveBack(): void {
    for (const { send, receive } of this.#table.values()) {
      send.giveBack()
      receive.giveBack()
    }
  }

  /** The first that may write. Those before it hold too much: they are looked at again when some of it is acknowledged. */
  #firstFit(): SessionStream | undefined {
    for (let { first } = this.#waiting; first !== undefined; { first } = this.#waiting) {
      if (isFull(first) && first.send.buffered <= this.mark(first) / 2) return first
      this.#waiting.shift()
    }
    return undefined
  }

  onMemory(): void {
    this.#announce()
  }

  /** The session is over. */
  clear(): void {
    this.#memory.leave()
    this.#waiting.clear()
    this.#writing.clear()
  }
}

function isFull(stream: SessionStream): boolean {
  return stream.isFull && stream.state !== 'closed'
}
