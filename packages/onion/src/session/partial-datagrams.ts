import { type DatagramFrame } from './datagram-frame.ts'
import { type SessionMemory } from './memory-budget.ts'
import { RangeSet } from './range-set.ts'
import { SessionViolation } from './session-violation.ts'
import { DATAGRAM_OVERHEAD, MAX_DATAGRAM_PIECES, MAX_PARTIAL_DATAGRAMS, PARTIAL_DATAGRAM_MS } from './tuning.ts'

interface Part {
  readonly offset: number
  readonly bytes: Uint8Array
}

interface Partial {
  readonly channel: number
  readonly number: number
  readonly total: number
  readonly parts: Part[]
  readonly pieces: RangeSet
  /** Monotonic ms of its first part. */
  readonly since: number
  /** Bytes that came, and bytes of memory that they take. */
  have: number
  taken: number
}

/**
 * Puts together the datagrams of a session that came in parts, of which each takes its own memory only: what says that it is part of
 * something large may be all that ever comes. What a lost part keeps incomplete is given up after a while, or when
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
    const { pieces } = partial
    if (partial.total !== frame.total) throw new SessionViolation("a datagram's length changed")
    const { offset } = frame
    const stop = offset + end - start
    for (let i = 0; i < pieces.count; i++)
      if (pieces.low(i) < stop && pieces.high(i) > offset) throw new SessionViolation('parts of a datagram overlap')
    pieces.add(offset, stop)
    const length = end - start
    if (pieces.count > MAX_DATAGRAM_PIECES || !this.#memory.takeToReceive(length + DATAGRAM_OVERHEAD)) {
      this.#drop(partial)
      return undefined
    }
    partial.taken += length + DATAGRAM_OVERHEAD
    partial.have += length
    partial.parts.push({ offset, bytes: payload.slice(start, end) })
    if (partial.have < partial.total) return undefined
    this.#drop(partial)
    return whole(partial)
  }

  #find({ channel, number }: DatagramFrame): Partial | undefined {
    return this.#partials.find((partial) => partial.number === number && partial.channel === channel)
  }

  #begin({ channel, number, total }: DatagramFrame, now: number): Partial {
    if (this.#partials.length >= MAX_PARTIAL_DATAGRAMS) this.#drop(this.#partials[0])
    const partial = { channel, number, total, parts: [], pieces: new RangeSet(), since: now, have: 0, taken: 0 }
    this.#partials.push(partial)
    return partial
  }

  #drop(partial: Partial | undefined): void {
    if (partial === undefined) return
    this.#partials = this.#partials.filter((other) => other !== partial)
    this.#memory.give(partial.taken)
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

function whole({ total, parts }: Partial): Uint8Array {
  const bytes = new Uint8Array(total)
  for (const part of parts) bytes.set(part.bytes, part.offset)
  return bytes
}
