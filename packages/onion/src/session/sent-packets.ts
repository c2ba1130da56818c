import { SkippedNumbers } from './skipped-numbers.ts'
import { SpareRings } from './spare-rings.ts'
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

/** Of the smallest rings, which a session keeps while it has nothing in flight. */
const FIRST_PACKETS = 16
const FIRST_FRAMES = 32
const GROWTH = 4

/** What is kept of each packet. */
class PacketColumns {
  readonly size: number
  readonly state: Uint8Array
  readonly time: Float64Array
  /** Of the highest packet of an acknowledged run: the lowest of that run, so that later ACKs pass over it in one step. */
  readonly runStart: Float64Array
  readonly episode: Uint32Array
  readonly delivered: Float64Array
  readonly lost: Float64Array
  readonly deliveredAt: Float64Array
  readonly firstSentAt: Float64Array
  /** Packets in flight, doubled, and one more when the sender had too little to send. */
  readonly inFlight: Uint32Array
  readonly firstFrame: Float64Array
  readonly frameCount: Uint8Array

  constructor(size: number) {
    this.size = size
    this.state = new Uint8Array(size)
    this.time = new Float64Array(size)
    this.runStart = new Float64Array(size)
    this.episode = new Uint32Array(size)
    this.delivered = new Float64Array(size)
    this.lost = new Float64Array(size)
    this.deliveredAt = new Float64Array(size)
    this.firstSentAt = new Float64Array(size)
    this.inFlight = new Uint32Array(size)
    this.firstFrame = new Float64Array(size)
    this.frameCount = new Uint8Array(size)
  }
}

/** What is kept of each frame. */
class FrameColumns {
  readonly size: number
  readonly kind: Uint8Array
  readonly stream: Float64Array
  readonly offset: Float64Array
  readonly length: Uint32Array

  constructor(size: number) {
    this.size = size
    this.kind = new Uint8Array(size)
    this.stream = new Float64Array(size)
    this.offset = new Float64Array(size)
    this.length = new Uint32Array(size)
  }
}

const packetRings = new SpareRings((size) => new PacketColumns(size))
const frameRings = new SpareRings((size) => new FrameColumns(size))

/**
 * Records of the packets that were sent, by their sequence (packet number less the session's first), in rings of typed arrays:
 * nothing is allocated per packet. Records leave at the old end, in order; when the last has left the rings are small again, as most
 * sessions have nothing in flight most of the time.
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

  get isFull(): boolean {
    return this.next - this.base >= MAX_SENT_PACKETS
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
    if (this.next - this.base > this.#mask) this.#growPackets()
    const sequence = this.next++
    const at = sequence & this.#mask
    // A packet that asks for no ACK gets none of its own, so its frames need no record.
    if (!eliciting) this.#frameNext -= frames
    this.#packets.state[at] = eliciting ? PacketState.flying : PacketState.untracked
    this.#packets.time[at] = now
    this.#packets.firstFrame[at] = eliciting ? this.#frameNext - frames : this.#frameNext
    this.#packets.frameCount[at] = eliciting ? frames : 0
    return sequence
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
    if (this.base === this.next) this.#shrink()
  }

  #growPackets(): void {
    const old = this.#packets
    this.#packets = packetRings.moved(old, old.size * GROWTH, this.base, this.next)
    this.#mask = this.#packets.size - 1
    if (old !== this.#firstPackets) packetRings.give(old)
  }

  #growFrames(): void {
    const old = this.#frames
    this.#frames = frameRings.moved(old, old.size * GROWTH, this.#frameBase, this.#frameNext)
    this.#frameMask = this.#frames.size - 1
    if (old !== this.#firstFrames) frameRings.give(old)
  }

  /** Nothing is kept: the rings go to whoever needs some. */
  #shrink(): void {
    if (this.#packets !== this.#firstPackets) {
      packetRings.give(this.#packets)
      this.#packets = this.#firstPackets
      this.#mask = FIRST_PACKETS - 1
    }
    if (this.#frames !== this.#firstFrames && this.#frameNext === this.#frameBase) {
      frameRings.give(this.#frames)
      this.#frames = this.#firstFrames
      this.#frameMask = FIRST_FRAMES - 1
    }
  }
}
