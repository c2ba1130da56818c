import { ByteRing } from './byte-ring.ts'
import { type SessionMemory } from './memory-budget.ts'
import { INITIAL_STREAM_WINDOW } from './protocol.ts'
import { RangeSet } from './range-set.ts'
import { WRITE_CHUNK } from './tuning.ts'

/** The sending half of a stream (RFC 9000, section 3.1): what was written and is not acknowledged, and what of it goes next. */
export class SendSide {
  readonly #ring: ByteRing
  /** Offsets: all below is acknowledged; the first never sent; the end of what was written. */
  #base = 0
  #next = 0
  #end = 0
  /** Above base: acknowledged; to be sent again. */
  readonly #acked = new RangeSet()
  readonly #lost = new RangeSet()
  /** The other side's limit. */
  #limit = INITIAL_STREAM_WINDOW
  #ended = false
  #finSent = false
  #finLost = false
  #finAcked = false
  #stopped = false

  constructor(memory: SessionMemory) {
    this.#ring = new ByteRing(memory)
  }

  /** Takes a copy of `bytes`; false when memory is not there. */
  append(bytes: Uint8Array): boolean {
    const end = this.#end + bytes.length
    if (!this.#ring.reserve(this.#base, this.#end, end)) return false
    this.#ring.write(this.#end, bytes, 0, bytes.length)
    this.#end = end
    return true
  }

  /** Whether append() would take so many bytes. */
  mayAppend(bytes: number): boolean {
    return this.#ring.mayHold(this.buffered + bytes)
  }

  end(): void {
    this.#ended = true
  }

  get isEnded(): boolean {
    return this.#ended
  }

  /** Bytes for which memory is taken. */
  get capacity(): number {
    return this.#ring.capacity
  }

  /** Bytes that another write of a whole chunk takes beyond those of the chunk itself: what the ring grows by where it holds something. */
  get growth(): number {
    return this.buffered === 0 ? 0 : this.#ring.growth(this.buffered + WRITE_CHUNK)
  }

  /** Bytes that are kept: written and not acknowledged in order. */
  get buffered(): number {
    return this.#end - this.#base
  }

  /** Bytes that the other side would take beyond what is acknowledged. */
  get allowed(): number {
    return this.#limit - this.#base
  }

  /** What RESET_STREAM says: how far the stream was sent. */
  get finalSize(): number {
    return this.#next
  }

  get hasLost(): boolean {
    return this.#lost.count > 0
  }

  /** Bytes never sent that the stream's limit lets go. */
  get fresh(): number {
    return Math.min(this.#end, this.#limit) - this.#next
  }

  /** True when bytes were sent and are not acknowledged. */
  get isInFlight(): boolean {
    return this.#next > this.#base
  }

  /** True when the end of the stream alone is to be said. */
  get owesFin(): boolean {
    return this.#ended && this.#next === this.#end && (!this.#finSent || this.#finLost)
  }

  get isDone(): boolean {
    return this.#finAcked && this.#base === this.#end
  }

  raiseLimit(limit: number): void {
    this.#limit = Math.max(this.#limit, limit)
  }

  /** Where the next piece starts: what was lost goes before what is new. */
  get pieceOffset(): number {
    return this.#lost.count > 0 ? this.#lost.low(0) : this.#next
  }

  /** How long the next piece may be, when `credit` new bytes are allowed. */
  pieceLength(credit: number): number {
    if (this.#lost.count > 0) return this.#lost.high(0) - this.#lost.low(0)
    return Math.min(this.fresh, credit)
  }

  /** True when a piece up to `end` is the last of the stream. */
  endsAt(end: number): boolean {
    return this.#ended && end === this.#end
  }

  /** Copies a piece into a packet and counts it as sent; returns how many of its bytes are new. */
  take(offset: number, length: number, fin: boolean, target: Uint8Array, at: number): number {
    if (length > 0) this.#ring.read(offset, length, target, at)
    if (fin) {
      this.#finSent = true
      this.#finLost = false
    }
    const end = offset + length
    if (end <= this.#next) {
      this.#lost.remove(offset, end)
      return 0
    }
    this.#next = end
    return length
  }

  onAcked(offset: number, length: number, fin: boolean): void {
    if (this.#stopped) return
    if (fin) this.#finAcked = true
    const end = offset + length
    if (end <= this.#base) return
    if (this.#lost.count > 0) this.#lost.remove(offset, end)
    if (offset > this.#base) {
      this.#acked.add(offset, end)
      return
    }
    this.#base = end
    if (this.#acked.count > 0) {
      if (this.#acked.low(0) <= end) this.#base = Math.max(end, this.#acked.high(0))
      this.#acked.remove(0, this.#base)
    }
    this.giveBack()
  }

  /** Gives memory back that holds nothing, where it is short. */
  giveBack(): void {
    if (this.#base === this.#end) this.#ring.onEmpty()
  }

  onLost(offset: number, length: number, fin: boolean): void {
    if (this.#stopped) return
    if (fin && !this.#finAcked) this.#finLost = true
    const end = offset + length
    let low = Math.max(offset, this.#base)
    for (let i = 0; low < end && i < this.#acked.count && this.#acked.low(i) < end; i++) {
      if (this.#acked.high(i) <= low) continue
      this.#lost.add(low, this.#acked.low(i))
      low = this.#acked.high(i)
    }
    this.#lost.add(low, end)
  }

  /** The stream was reset: nothing of it is sent or kept any more. */
  stop(): void {
    this.#stopped = true
    this.#lost.clear()
    this.#acked.clear()
    this.#ended = false
    this.#finLost = false
    this.#end = this.#next
    this.#base = this.#next
    this.#ring.free()
  }

  free(): void {
    this.#ring.free()
  }
}
