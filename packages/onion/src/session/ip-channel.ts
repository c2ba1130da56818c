import { PacketQueue } from './packet-queue.ts'
import { type IpPacketPool } from './ip-packet-pool.ts'

/** What the owner of a channel of IP packets is told; set on `IpChannel.handler` before anything can come. */
export interface IpChannelHandler {
  /** A packet came: `bytes` are valid during the call only, and nobody has looked into them. */
  onPacket?(bytes: Uint8Array): void
}

/** What a channel of IP packets needs of its session. */
export interface IpChannelHost {
  readonly clock: { monotonic(): number }
  readonly packets: IpPacketPool
  /** Bytes of the longest packet that fits a cell. */
  readonly mostPacketBytes: number
  schedule(channel: IpChannel): void
}

/**
 * Carries IP packets beside the streams of a session (docs/specs/session.md, IP packets): none is sent again, none is cut.
 * Made by its stream, which opens and ends it.
 */
export class IpChannel {
  handler: IpChannelHandler = {}
  readonly queue: PacketQueue
  /** Of the stream; -1 until it is open. */
  id = -1
  readonly #host: IpChannelHost
  #isOver = false

  constructor(host: IpChannelHost) {
    this.#host = host
    this.queue = new PacketQueue(host.packets)
  }

  /** Sends a copy of the first `length` bytes. False: the channel is not open, or there is no room, or they are too many. */
  send(bytes: Uint8Array, length: number): boolean {
    if (this.#isOver || this.id < 0 || length > this.#host.mostPacketBytes) return false
    if (!this.queue.push(bytes, length, this.#host.clock.monotonic())) return false
    this.#host.schedule(this)
    return true
  }

  /** The other side takes packets by `id` from now on. */
  begin(id: number): void {
    if (!this.#isOver) this.id = id
  }

  /** The stream is over. */
  end(): void {
    this.#isOver = true
    this.queue.clear()
  }
}
