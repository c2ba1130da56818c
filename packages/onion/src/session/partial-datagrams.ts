import { type DatagramFrame } from './datagram-frame.ts'
import { type SessionMemory } from './memory-budget.ts'
import { RangeSet } from './range-set.ts'
import { SessionViolation } from './session-violation.ts'
import { MAX_DATAGRAM_PIECES, MAX_PARTIAL_DATAGRAMS, PARTIAL_DATAGRAM_MS } from './tuning.ts'

interface Partial {
  readonly channel: number
  readonly number: number
  readonly bytes: Uint8Array
  readonly pieces: RangeSet
  /** Monotonic ms of its first part. */
  readonly since: number
  /** Bytes that came. */
  have: number
}

/**
 * Puts together the datagrams of a session that came in parts. What a lost part keeps incomplete is given up after a while, or when
 * others need the room: nobody sends it again.
 */
export class PartialDatagrams {
  readonly #memory: SessionMemory
  /** The oldest first. */
  #partials: Partial[] = []

  constructor(memory: SessionMemory) {
    this.#memory = memory
  }

  /** Takes a part, payload[start, end); returns the datagram when it is whole. @throws SessionViolation */
  add(frame: DatagramFrame, payload: Uint8Array, start: number, end: number, now: number): Uint8Array | undefined {
    const partial = this.#find(frame) ?? this.#begin(frame, now)
    if (partial === undefined) return undefined
    const { bytes, pieces } = partial
    if (bytes.length !== frame.total) throw new SessionViolation("a datagram's length changed")
    const { offset } = frame
    const stop = offset + end - start
    for (let i = 0; i < pieces.count; i++)
      if (pieces.low(i) < stop && pieces.high(i) > offset) throw new SessionViolation('parts of a datagram overlap')
    pieces.add(offset, stop)
    if (pieces.count > MAX_DATAGRAM_PIECES) {
      this.#drop(partial)
      return undefined
    }
    bytes.set(payload.subarray(start, end), offset)
    partial.have += end - start
    if (partial.have < bytes.length) return undefined
    this.#drop(partial)
    return bytes
  }

  #find({ channel, number }: DatagramFrame): Partial | undefined {
    return this.#partials.find((partial) => partial.number === number && partial.channel === channel)
  }

  #begin({ channel, number, total }: DatagramFrame, now: number): Partial | undefined {
    if (this.#partials.length >= MAX_PARTIAL_DATAGRAMS) this.#drop(this.#partials[0])
    if (!this.#memory.takeToReceive(total)) return undefined
    const partial = { channel, number, bytes: new Uint8Array(total), pieces: new RangeSet(), since: now, have: 0 }
    this.#partials.push(partial)
    return partial
  }

  #drop(partial: Partial | undefined): void {
    if (partial === undefined) return
    this.#partials = this.#partials.filter((other) => other !== partial)
    this.#memory.give(partial.bytes.length)
  }

  /** Monotonic ms at which expire() has something to do. */
  get expiresAt(): number {
    return (this.#partials[0]?.since ?? Infinity) + PARTIAL_DATAGRAM_MS
  }

  /** Gives up what waits for a part for too long. */
  expire(now: number): void {
    while (this.expiresAt <= now) this.#drop(this.#partials[0])
  }

  /** The channel is over. */
  forget(channel: number): void {
    for (const partial of this.#partials) if (partial.channel === channel) this.#drop(partial)
  }

  clear(): void {
    for (const partial of this.#partials) this.#drop(partial)
  }
}
