import { ByteRing } from './byte-ring.ts'
import { type SessionMemory } from './memory-budget.ts'
import { INITIAL_STREAM_WINDOW, MAX_STREAM_WINDOW } from './protocol.ts'
import { RangeSet } from './range-set.ts'
import { ReceiveWindow } from './receive-window.ts'
import { SessionViolation } from './session-violation.ts'
import { MAX_REASSEMBLY_RANGES } from './tuning.ts'

/** The receiving half of a stream (RFC 9000, section 3.2): puts bytes in order and hands them on. */
export class ReceiveSide {
  readonly window = new ReceiveWindow(INITIAL_STREAM_WINDOW, MAX_STREAM_WINDOW)
  readonly #memory: SessionMemory
  readonly #ring: ByteRing
  /** All below was handed on; all below `ready` is there; above it are pieces. */
  #delivered = 0
  #ready = 0
  readonly #pieces = new RangeSet()
  /** Bytes taken for where pieces begin and end. */
  #placeBytes = 0
  #highest = 0
  #finalSize = -1
  #discarding = false

  constructor(memory: SessionMemory) {
    this.#memory = memory
    this.#ring = new ByteRing(memory, true)
  }

  /** The highest offset that the other side used: what counts against limits. */
  get highest(): number {
    return this.#highest
  }

  get delivered(): number {
    return this.#delivered
  }

  get hasReady(): boolean {
    return this.#ready > this.#delivered
  }

  /** True when all bytes up to the end were handed on, or nothing is wanted any more and the end is known. */
  get isDone(): boolean {
    return this.#finalSize >= 0 && (this.#discarding || this.#delivered === this.#finalSize)
  }

  get hasFinalSize(): boolean {
    return this.#finalSize >= 0
  }

  /**
   * Checks a piece against the stream's limit and end; returns by how much the highest offset rises. Changes nothing.
   * @throws SessionViolation
   */
  check(end: number, fin: boolean): number {
    if (end > this.window.limit) throw new SessionViolation("a stream's limit is exceeded")
    if (this.#finalSize >= 0 && (end > this.#finalSize || (fin && end !== this.#finalSize)))
      throw new SessionViolation("a stream's final size changed")
    if (fin && end < this.#highest) throw new SessionViolation('a stream ends before what it has sent')
    return Math.max(0, end - this.#highest)
  }

  /** Keeps payload[start, stop) for `offset`, which check() has let pass; false when there is no memory: then nothing is kept. */
  insert(offset: number, payload: Uint8Array, start: number, stop: number, fin: boolean): boolean {
    const end = offset + stop - start
    if (!this.#discarding && end > this.#ready && !this.#keep(offset, end, payload, start)) return false
    this.note(end, fin)
    return true
  }

  /** Counts what came up to `end` without keeping it. */
  note(end: number, final: boolean): void {
    if (end > this.#highest) this.#highest = end
    if (this.hasGap) this.window.onGap(this.#highest)
    if (final) this.#finalSize = end
  }

  #keep(offset: number, end: number, payload: Uint8Array, start: number): boolean {
    const from = Math.max(offset, this.#ready)
    if (from > this.#ready && !this.#takePlace()) return false
    const keep = this.#pieces.count === 0 ? this.#ready : this.#pieces.high(this.#pieces.count - 1)
    if (!this.#ring.reserve(this.#delivered, keep, end)) return false
    this.#ring.write(from, payload, start + from - offset, start + end - offset)
    if (from > this.#ready) {
      this.#pieces.add(from, end)
      return true
    }
    this.#ready = end
    if (this.#pieces.count === 0) return true
    if (this.#pieces.low(0) <= end) {
      // The first pieces that touch have become one with it.
      this.#pieces.add(from, end)
      this.#ready = this.#pieces.high(0)
    }
    this.#pieces.remove(0, this.#ready)
    return true
  }

  /** Makes room for where one more piece begins and ends. */
  #takePlace(): boolean {
    const count = this.#pieces.count + 1
    if (count > MAX_REASSEMBLY_RANGES) return false
    const more = this.#pieces.growth(count) - this.#placeBytes
    // They may be there, of a piece for which the ring had no memory.
    if (more <= 0) return true
    if (!this.#memory.takeToReceive(more)) return false
    this.#placeBytes += more
    return true
  }

  #clearPieces(): void {
    this.#pieces.clear()
    this.#memory.give(this.#placeBytes)
    this.#placeBytes = 0
  }

  /** Bytes came, and others before them are missing. */
  get hasGap(): boolean {
    return this.#pieces.count > 0
  }

  /**
   * True when [offset, end) has the next byte to be handed on and none waits before it. A piece may begin below: what is sent
   * again need not be cut where it was at first. An empty piece is never next; insert() takes it without memory.
   */
  isNext(offset: number, end: number): boolean {
    const delivered = this.#delivered
    return offset <= delivered && end > delivered && this.#ready === delivered && !this.#discarding
  }

  /** Bytes up to `end` were handed on straight from a packet, for want of memory. */
  skipTo(end: number): void {
    this.#delivered = end
    this.#ready = end
    this.#pieces.remove(0, end)
    if (this.#pieces.count > 0 && this.#pieces.low(0) === end) {
      this.#ready = this.#pieces.high(0)
      this.#pieces.remove(0, this.#ready)
    }
  }

  /** The next bytes in order as one view, or undefined. The view is good until they were handed on and something is inserted. */
  peek(): Uint8Array | undefined {
    if (this.#ready === this.#delivered) return undefined
    return this.#ring.view(this.#delivered, this.#ready - this.#delivered)
  }

  /** The next bytes in order as one view, or undefined; they count as handed on. The view is good until the next insert(). */
  next(): Uint8Array | undefined {
    const view = this.peek()
    if (view !== undefined) this.#delivered += view.length
    return view
  }

  /** `bytes` of what is ready, at most all, were handed on from what peek() gave. */
  advance(bytes: number): void {
    this.#delivered = Math.min(this.#ready, this.#delivered + bytes)
    this.giveBack()
  }

  /** Gives memory back that holds nothing, where it is short. */
  giveBack(): void {
    if (this.#pieces.count > 0) return
    if (this.#placeBytes > 0) this.#clearPieces()
    if (!this.hasReady) this.#ring.onEmpty()
  }

  /** Nothing of the stream is wanted any more: it is only counted until its end is known. */
  discard(): void {
    this.#discarding = true
    this.#ready = this.#delivered
    this.free()
  }

  get isDiscarding(): boolean {
    return this.#discarding
  }

  free(): void {
    this.#clearPieces()
    this.#ring.free()
  }
}
