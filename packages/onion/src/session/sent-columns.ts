import { SpareRings } from './spare-rings.ts'

/** Of the smallest rings, which a session keeps while it has nothing in flight. */
export const FIRST_PACKETS = 16
export const FIRST_FRAMES = 32
/** Of the largest rings that cost a session nothing of its memory, so that each goes on while there is none: 28 kB. */
export const FREE_PACKETS = 256
export const FREE_FRAMES = 512
/** Growth below that, where it costs nothing, and above. */
const FREE_GROWTH = 4
const GROWTH = 2
/** Bytes that a record takes: of a packet, of a frame. */
const PACKET_BYTES = 66
const FRAME_BYTES = 21

/** What is kept of each packet. */
export class PacketColumns {
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
export class FrameColumns {
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

export const packetRings = new SpareRings((size) => new PacketColumns(size))
export const frameRings = new SpareRings((size) => new FrameColumns(size))

/** Size of the ring behind one of `size`. */
export function grown(size: number, free: number): number {
  return size * (size < free ? FREE_GROWTH : GROWTH)
}

/** Bytes of a session's memory that a ring takes. */
export function packetCost(size: number): number {
  return Math.max(0, size - FREE_PACKETS) * PACKET_BYTES
}

export function frameCost(size: number): number {
  return Math.max(0, size - FREE_FRAMES) * FRAME_BYTES
}
