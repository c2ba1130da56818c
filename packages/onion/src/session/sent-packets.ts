import { type SessionMemory } from './memory-budget.ts'
import {
  FIRST_FRAMES,
  FIRST_PACKETS,
  FREE_FRAMES,
  FREE_PACKETS,
  FrameColumns,
  PacketColumns,
  frameCost,
  frameRings,
  grown,
  packetCost,
  packetRings,
} from './sent-columns.ts'
import { SkippedNumbers } from './skipped-numbers.ts'
import { MAX_SENT_PACKETS } from './tuning.ts'

/**
 * State of a record. `untracked` is a packet that asks for no ACK, or a number that no packet got; `moved` is one in flight whose content goes
 * another way: it takes room on this one until an ACK tells what became of it.
 */
export const PacketState = { untracked: 0, flying: 1, acked: 2, lost: 3, moved: 4 } as const

/** Kinds of frames that a record keeps: what to do when its packet is acknowledged or lost. */
export const SentKind = {
  ack: 0,
  stream: 1,
  streamEnd: 2,
  streamControl: 3,
  sessionControl: 4,
  datagram: 5,
  namedDatagram: 6,
  join: 7,
  legStatus: 8,
  ping: 9,
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

/** Of rings that may not grow, the last records: for what a leg says for itself, in packets of so many frames at most. */
const OWN_PACKETS = 64
const OWN_FRAMES = 256
const FRAMES_OF_OWN = 4
/** A ring of which less than a sixteenth is used has a quarter of its size again. */
const SHRINKS_AT = 1 / 16
const SHRINKS_TO = 1 / 4

/**
 * Records of the packets that were sent, by their sequence (packet number less the session's first), in rings of typed arrays:
 * nothing is allocated per packet. Records leave at the old end, in order; when the last has left the rings are small again, as most
 * sessions have nothing in flight most of the time. Rings that are large are of the session's memory, and grow no further than that goes.
 */
export class SentPackets {
  /** Oldest sequence that has a record, and the one that the next packet gets. */
  base = 0
  next = 0
  readonly skipped = new SkippedNumbers()
  readonly #firstPackets = new PacketColumns(FIRST_PACKETS)
  readonly #firstFrames = new FrameColumns(FIRST_FRAMES)
  #packets = this.#firstPackets
  #mask = FIRST_PACKETS - 1
  #frames = this.#firstFrames
  #frameMask = FIRST_FRAMES - 1
  #frameBase = 0
  #frameNext = 0
  /** Records from which on the rings have to grow before another packet with content. */
  #packetMark = FIRST_PACKETS
  #frameMark = FIRST_FRAMES
  /** Of frames, beyond which no packet fits; smaller rings grow with it. */
  #frameEnd = Infinity
  /** Records below which the rings are too large. */
  #packetLow = 0
  #frameLow = 0
  readonly #memory: SessionMemory

  /** @param memory of the session, for what is beyond the smallest rings */
  constructor(memory: SessionMemory) {
    this.#memory = memory
  }

  /** True while packets with content, and those that only acknowledge, would be more than there is memory for. Frames of one packet always fit. */
  get isFull(): boolean {
    return this.next - this.base >= this.#packetMark || this.#frameNext - this.#frameBase >= this.#frameMark
  }

  /** True while no packet at all may be sent. */
  get isSpent(): boolean {
    return this.next - this.base > this.#mask || this.#frameNext - this.#frameBase > this.#frameEnd
  }

  state(sequence: number): number {
    return this.#packets.state[sequence & this.#mask] ?? 0
  }

  setState(sequence: number, state: number): void {
    this.#packets.state[sequence & this.#mask] = state
  }

  /** Monotonic ms at which the packet was sent. */
  time(sequence: number): number {
    return this.#packets.time[sequence & this.#mask] ?? 0
  }

  runStart(sequence: number): number {
    return this.#packets.runStart[sequence & this.#mask] ?? 0
  }

  setRunStart(sequence: number, start: number): void {
    this.#packets.runStart[sequence & this.#mask] = start
  }

  /** The congestion event in which the packet was lost. */
  episode(sequence: number): number {
    return this.#packets.episode[sequence & this.#mask] ?? 0
  }

  setEpisode(sequence: number, episode: number): void {
    this.#packets.episode[sequence & this.#mask] = episode
  }

  delivery(sequence: number): DeliveryAtSend {
    const at = sequence & this.#mask
    const inFlight = this.#packets.inFlight[at] ?? 0
    return {
      delivered: this.#packets.delivered[at] ?? 0,
      lost: this.#packets.lost[at] ?? 0,
      deliveredAt: this.#packets.deliveredAt[at] ?? 0,
      firstSentAt: this.#packets.firstSentAt[at] ?? 0,
      inFlight: inFlight >>> 1,
      isLimited: (inFlight & 1) === 1,
    }
  }

  /** ms: when the first packet was sent of those that have not come through, at the sending of this one. */
  firstSentAt(sequence: number): number {
    return this.#packets.firstSentAt[sequence & this.#mask] ?? 0
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
    this.#packets.delivered[at] = delivered
    this.#packets.lost[at] = lost
    this.#packets.deliveredAt[at] = deliveredAt
    this.#packets.firstSentAt[at] = firstSentAt
    this.#packets.inFlight[at] = 2 * inFlight + (isLimited ? 1 : 0)
  }

  /** Notes a frame of the packet that is being written. */
  addFrame(kind: number, stream: number, offset: number, length: number): void {
    if (this.#frameNext - this.#frameBase > this.#frameMask) this.#growFrames()
    const at = this.#frameNext++ & this.#frameMask
    this.#frames.kind[at] = kind
    this.#frames.stream[at] = stream
    this.#frames.offset[at] = offset
    this.#frames.length[at] = length
  }

  /** Ends the packet that is being written; returns its sequence. */
  commit(eliciting: boolean, frames: number, now: number): number {
    const sequence = this.next++
    const at = sequence & this.#mask
    // A packet that asks for no ACK gets none of its own, so its frames need no record.
    if (!eliciting) this.#frameNext -= frames
    this.#packets.state[at] = eliciting ? PacketState.flying : PacketState.untracked
    this.#packets.time[at] = now
    this.#packets.firstFrame[at] = eliciting ? this.#frameNext - frames : this.#frameNext
    this.#packets.frameCount[at] = eliciting ? frames : 0
    if (this.isFull) this.#makeRoom()
    return sequence
  }

  /** For the next packet, as far as there is memory. */
  #makeRoom(): void {
    if (this.next - this.base >= this.#packetMark && this.#packets.size < MAX_SENT_PACKETS) this.#growPackets()
    if (this.#frameNext - this.#frameBase >= this.#frameMark) this.#growFrames()
  }

  /** Whatever becomes of the packets: nothing of them is kept. */
  release(): void {
    this.base = this.next
    this.#frameBase = this.#frameNext
    this.#empty()
  }

  /** Leaves out the number that the next packet would get. */
  skip(now: number): void {
    this.skipped.add(this.commit(false, 0, now))
  }

  frameCount(sequence: number): number {
    return this.#packets.frameCount[sequence & this.#mask] ?? 0
  }

  #frameAt(sequence: number, index: number): number {
    return ((this.#packets.firstFrame[sequence & this.#mask] ?? 0) + index) & this.#frameMask
  }

  frameKind(sequence: number, index: number): number {
    return this.#frames.kind[this.#frameAt(sequence, index)] ?? 0
  }

  frameStream(sequence: number, index: number): number {
    return this.#frames.stream[this.#frameAt(sequence, index)] ?? 0
  }

  frameOffset(sequence: number, index: number): number {
    return this.#frames.offset[this.#frameAt(sequence, index)] ?? 0
  }

  frameLength(sequence: number, index: number): number {
    return this.#frames.length[this.#frameAt(sequence, index)] ?? 0
  }

  /**
   * Lets go of the oldest records that nobody needs: all but packets in flight, moved or not, and, unless they are too many, those lost that were sent after
   * `lostBefore`.
   */
  advance(lostBefore: number, most: number): void {
    while (this.base < this.next) {
      const at = this.base & this.#mask
      const state = this.#packets.state[at] ?? 0
      if (state === PacketState.flying || state === PacketState.moved) break
      if (state === PacketState.lost && (this.#packets.time[at] ?? 0) > lostBefore && this.next - this.base < most)
        break
      this.#frameBase = (this.#packets.firstFrame[at] ?? 0) + (this.#packets.frameCount[at] ?? 0)
      this.base++
    }
    if (this.base === this.next) this.#empty()
    else if (this.next - this.base < this.#packetLow || this.#frameNext - this.#frameBase < this.#frameLow)
      this.#shrink()
  }

  #growPackets(): void {
    const { size } = this.#packets
    const larger = grown(size, FREE_PACKETS)
    if (this.#memory.takeRecords(packetCost(larger) - packetCost(size))) this.#movePackets(larger)
  }

  #growFrames(): void {
    const { size } = this.#frames
    const larger = grown(size, FREE_FRAMES)
    if (this.#memory.takeRecords(frameCost(larger) - frameCost(size))) this.#moveFrames(larger)
  }

  #movePackets(size: number): void {
    const old = this.#packets
    this.#setPackets(packetRings.moved(old, size, this.base, this.next))
    if (old !== this.#firstPackets) packetRings.give(old)
  }

  #moveFrames(size: number): void {
    const old = this.#frames
    this.#setFrames(frameRings.moved(old, size, this.#frameBase, this.#frameNext))
    if (old !== this.#firstFrames) frameRings.give(old)
  }

  #setPackets(ring: PacketColumns): void {
    const { size } = ring
    this.#packets = ring
    this.#mask = size - 1
    this.#packetMark = size < FREE_PACKETS ? size : size - OWN_PACKETS
    this.#packetLow = size > FREE_PACKETS ? size * SHRINKS_AT : 0
  }

  #setFrames(ring: FrameColumns): void {
    const { size } = ring
    this.#frames = ring
    this.#frameMask = size - 1
    this.#frameMark = size < FREE_FRAMES ? size : size - OWN_FRAMES
    this.#frameEnd = size < FREE_FRAMES ? Infinity : size - FRAMES_OF_OWN
    this.#frameLow = size > FREE_FRAMES ? size * SHRINKS_AT : 0
  }

  /** Little is kept of what was. */
  #shrink(): void {
    const before = packetCost(this.#packets.size) + frameCost(this.#frames.size)
    while (this.next - this.base < this.#packetLow)
      this.#movePackets(Math.max(FREE_PACKETS, this.#packets.size * SHRINKS_TO))
    while (this.#frameNext - this.#frameBase < this.#frameLow)
      this.#moveFrames(Math.max(FREE_FRAMES, this.#frames.size * SHRINKS_TO))
    this.#memory.giveRecords(before - packetCost(this.#packets.size) - frameCost(this.#frames.size))
  }

  /** Nothing is kept: the rings go to whoever needs some, and what they took to the session's memory. */
  #empty(): void {
    const before = packetCost(this.#packets.size) + frameCost(this.#frames.size)
    if (this.#packets !== this.#firstPackets) {
      packetRings.give(this.#packets)
      this.#setPackets(this.#firstPackets)
    }
    if (this.#frames !== this.#firstFrames && this.#frameNext === this.#frameBase) {
      frameRings.give(this.#frames)
      this.#setFrames(this.#firstFrames)
    }
    this.#memory.giveRecords(before - packetCost(this.#packets.size) - frameCost(this.#frames.size))
  }
}
