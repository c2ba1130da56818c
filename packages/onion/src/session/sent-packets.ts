import { SkippedNumbers } from './skipped-numbers.ts'
import { MAX_SENT_PACKETS } from './tuning.ts'

/** State of a record. `untracked` is a packet that asks for no ACK, or a number that no packet got. */
export const PacketState = { untracked: 0, flying: 1, acked: 2, lost: 3 } as const

/** Kinds of frames that a record keeps: what to do when its packet is acknowledged or lost. */
export const SentKind = {
  ack: 0,
  stream: 1,
  streamEnd: 2,
  streamControl: 3,
  sessionControl: 4,
  datagram: 5,
  namedDatagram: 6,
} as const

/** How delivery stood when a packet was sent (DeliveryRate). */
interface DeliveryAtSend {
  /** Packets that had come through and been lost, of all ever sent. */
  readonly delivered: number
  readonly lost: number
  /** ms: when the last of them came through, and when the first was sent of those since. */
  readonly deliveredAt: number
  readonly firstSentAt: number
  /** In flight, this one counted. */
  readonly inFlight: number
  /** The sender had too little to send. */
  readonly isLimited: boolean
}

const FIRST_PACKETS = 256
const FIRST_FRAMES = 512

/**
 * Records of the packets that were sent, by their sequence (packet number less the session's first), in rings of typed arrays
 * that grow by doubling: nothing is allocated per packet. Records leave at the old end, in order.
 */
export class SentPackets {
  /** Oldest sequence that has a record, and the one that the next packet gets. */
  base = 0
  next = 0
  readonly skipped = new SkippedNumbers()
  #mask = FIRST_PACKETS - 1
  #state = new Uint8Array(FIRST_PACKETS)
  #time = new Float64Array(FIRST_PACKETS)
  /** Of the highest packet of an acknowledged run: the lowest of that run, so that later ACKs pass over it in one step. */
  #runStart = new Float64Array(FIRST_PACKETS)
  #episode = new Uint32Array(FIRST_PACKETS)
  #delivered = new Float64Array(FIRST_PACKETS)
  #lost = new Float64Array(FIRST_PACKETS)
  #deliveredAt = new Float64Array(FIRST_PACKETS)
  #firstSentAt = new Float64Array(FIRST_PACKETS)
  /** Packets in flight, doubled, and one more when the sender had too little to send. */
  #inFlight = new Uint32Array(FIRST_PACKETS)
  #firstFrame = new Float64Array(FIRST_PACKETS)
  #frameCount = new Uint8Array(FIRST_PACKETS)

  #frameBase = 0
  #frameNext = 0
  #frameMask = FIRST_FRAMES - 1
  #kind = new Uint8Array(FIRST_FRAMES)
  #stream = new Float64Array(FIRST_FRAMES)
  #offset = new Float64Array(FIRST_FRAMES)
  #length = new Uint32Array(FIRST_FRAMES)

  get isFull(): boolean {
    return this.next - this.base >= MAX_SENT_PACKETS
  }

  state(sequence: number): number {
    return this.#state[sequence & this.#mask] ?? 0
  }

  setState(sequence: number, state: number): void {
    this.#state[sequence & this.#mask] = state
  }

  /** Monotonic ms at which the packet was sent. */
  time(sequence: number): number {
    return this.#time[sequence & this.#mask] ?? 0
  }

  runStart(sequence: number): number {
    return this.#runStart[sequence & this.#mask] ?? 0
  }

  setRunStart(sequence: number, start: number): void {
    this.#runStart[sequence & this.#mask] = start
  }

  /** The congestion event in which the packet was lost. */
  episode(sequence: number): number {
    return this.#episode[sequence & this.#mask] ?? 0
  }

  setEpisode(sequence: number, episode: number): void {
    this.#episode[sequence & this.#mask] = episode
  }

  delivery(sequence: number): DeliveryAtSend {
    const at = sequence & this.#mask
    const inFlight = this.#inFlight[at] ?? 0
    return {
      delivered: this.#delivered[at] ?? 0,
      lost: this.#lost[at] ?? 0,
      deliveredAt: this.#deliveredAt[at] ?? 0,
      firstSentAt: this.#firstSentAt[at] ?? 0,
      inFlight: inFlight >>> 1,
      isLimited: (inFlight & 1) === 1,
    }
  }

  /** ms: when the first packet was sent of those that have not come through, at the sending of this one. */
  firstSentAt(sequence: number): number {
    return this.#firstSentAt[sequence & this.#mask] ?? 0
  }

  /** Notes how delivery stands, for the packet that was committed last. */
  setDelivery(
    delivered: number,
    lost: number,
    deliveredAt: number,
    firstSentAt: number,
    inFlight: number,
    isLimited: boolean,
  ): void {
    const at = (this.next - 1) & this.#mask
    this.#delivered[at] = delivered
    this.#lost[at] = lost
    this.#deliveredAt[at] = deliveredAt
    this.#firstSentAt[at] = firstSentAt
    this.#inFlight[at] = 2 * inFlight + (isLimited ? 1 : 0)
  }

  /** Notes a frame of the packet that is being written. */
  addFrame(kind: number, stream: number, offset: number, length: number): void {
    if (this.#frameNext - this.#frameBase > this.#frameMask) this.#growFrames()
    const at = this.#frameNext++ & this.#frameMask
    this.#kind[at] = kind
    this.#stream[at] = stream
    this.#offset[at] = offset
    this.#length[at] = length
  }

  /** Ends the packet that is being written; returns its sequence. */
  commit(eliciting: boolean, frames: number, now: number): number {
    if (this.next - this.base > this.#mask) this.#growPackets()
    const sequence = this.next++
    const at = sequence & this.#mask
    // A packet that asks for no ACK gets none of its own, so its frames need no record.
    if (!eliciting) this.#frameNext -= frames
    this.#state[at] = eliciting ? PacketState.flying : PacketState.untracked
    this.#time[at] = now
    this.#firstFrame[at] = eliciting ? this.#frameNext - frames : this.#frameNext
    this.#frameCount[at] = eliciting ? frames : 0
    return sequence
  }

  /** Leaves out the number that the next packet would get. */
  skip(now: number): void {
    this.skipped.add(this.commit(false, 0, now))
  }

  frameCount(sequence: number): number {
    return this.#frameCount[sequence & this.#mask] ?? 0
  }

  #frameAt(sequence: number, index: number): number {
    return ((this.#firstFrame[sequence & this.#mask] ?? 0) + index) & this.#frameMask
  }

  frameKind(sequence: number, index: number): number {
    return this.#kind[this.#frameAt(sequence, index)] ?? 0
  }

  frameStream(sequence: number, index: number): number {
    return this.#stream[this.#frameAt(sequence, index)] ?? 0
  }

  frameOffset(sequence: number, index: number): number {
    return this.#offset[this.#frameAt(sequence, index)] ?? 0
  }

  frameLength(sequence: number, index: number): number {
    return this.#length[this.#frameAt(sequence, index)] ?? 0
  }

  /** Lets go of the oldest records that nobody needs: all but packets in flight and those lost that were sent after `lostBefore`. */
  advance(lostBefore: number): void {
    while (this.base < this.next) {
      const at = this.base & this.#mask
      const state = this.#state[at] ?? 0
      if (state === PacketState.flying) break
      if (state === PacketState.lost && (this.#time[at] ?? 0) > lostBefore && !this.isFull) break
      this.#frameBase = (this.#firstFrame[at] ?? 0) + (this.#frameCount[at] ?? 0)
      this.base++
    }
  }

  #growPackets(): void {
    const size = (this.#mask + 1) * 2
    const from = this.#mask
    this.#state = regrown(this.#state, new Uint8Array(size), this.base, this.next, from)
    this.#time = regrown(this.#time, new Float64Array(size), this.base, this.next, from)
    this.#runStart = regrown(this.#runStart, new Float64Array(size), this.base, this.next, from)
    this.#episode = regrown(this.#episode, new Uint32Array(size), this.base, this.next, from)
    this.#delivered = regrown(this.#delivered, new Float64Array(size), this.base, this.next, from)
    this.#lost = regrown(this.#lost, new Float64Array(size), this.base, this.next, from)
    this.#deliveredAt = regrown(this.#deliveredAt, new Float64Array(size), this.base, this.next, from)
    this.#firstSentAt = regrown(this.#firstSentAt, new Float64Array(size), this.base, this.next, from)
    this.#inFlight = regrown(this.#inFlight, new Uint32Array(size), this.base, this.next, from)
    this.#firstFrame = regrown(this.#firstFrame, new Float64Array(size), this.base, this.next, from)
    this.#frameCount = regrown(this.#frameCount, new Uint8Array(size), this.base, this.next, from)
    this.#mask = size - 1
  }

  #growFrames(): void {
    const size = (this.#frameMask + 1) * 2
    const from = this.#frameMask
    this.#kind = regrown(this.#kind, new Uint8Array(size), this.#frameBase, this.#frameNext, from)
    this.#stream = regrown(this.#stream, new Float64Array(size), this.#frameBase, this.#frameNext, from)
    this.#offset = regrown(this.#offset, new Float64Array(size), this.#frameBase, this.#frameNext, from)
    this.#length = regrown(this.#length, new Uint32Array(size), this.#frameBase, this.#frameNext, from)
    this.#frameMask = size - 1
  }
}

/** The ring `from` (of mask `mask`) moved into the larger ring `to`; live are [base, next). */
function regrown<T extends Uint8Array | Uint32Array | Float64Array>(
  from: T,
  to: T,
  base: number,
  next: number,
  mask: number,
): T {
  for (let i = base; i < next; i++) to[i & (to.length - 1)] = from[i & mask] ?? 0
  return to
}
