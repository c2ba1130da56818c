import { type ChannelHost, type DatagramChannel } from './datagram-channel.ts'
import { type DatagramFrame } from './datagram-frame.ts'
import { type FrameWriter } from './frame-writer.ts'
import { IpChannel } from './ip-channel.ts'
import { type SessionMemory } from './memory-budget.ts'
import { type IpPacketPool } from './ip-packet-pool.ts'
import { PartialDatagrams } from './partial-datagrams.ts'
import { MAX_IP_PACKET_BYTES } from './protocol.ts'
import { SentKind, type SentPackets } from './sent-packets.ts'
import { SessionViolation } from './session-violation.ts'
import { StreamQueue } from './stream-queue.ts'
import { MAX_FRAMES_PER_PACKET } from './tuning.ts'

/** Bytes that the frame of an IP packet takes beside it at most: type, channel of 4 bytes, target, length of 2. */
const MAX_IP_FRAME_BYTES = 8

/** The datagrams of all channels of a session: writes those that wait, channel by channel, and hands on those that came. */
export class SessionDatagrams implements ChannelHost {
  readonly isExit: boolean
  readonly clock: { monotonic(): number }
  readonly memory: SessionMemory
  readonly packets: IpPacketPool
  readonly mostPacketBytes: number
  readonly #announce: () => void
  readonly #partials: PartialDatagrams
  readonly #ready = new StreamQueue<DatagramChannel | IpChannel>()
  /** Bytes of datagrams that went each way. */
  dataSent = 0
  dataReceived = 0

  constructor(
    init: {
      readonly isExit: boolean
      readonly clock: { monotonic(): number }
      readonly memory: SessionMemory
      readonly packets: IpPacketPool
      readonly payloadLength: number
    },
    announce: () => void,
  ) {
    this.isExit = init.isExit
    this.clock = init.clock
    this.memory = init.memory
    this.packets = init.packets
    this.mostPacketBytes = Math.min(MAX_IP_PACKET_BYTES, init.payloadLength - MAX_IP_FRAME_BYTES)
    this.#announce = announce
    this.#partials = new PartialDatagrams(init.memory)
  }

  get expiresAt(): number {
    return this.#partials.expiresAt
  }

  expire(now: number): void {
    this.#partials.expire(now)
  }

  /** The channel whose turn it is; drops from the queue what has nothing to send. */
  #first(now: number): DatagramChannel | IpChannel | undefined {
    for (;;) {
      const channel = this.#ready.first
      if (channel === undefined) return undefined
      if (channel instanceof IpChannel ? channel.queue.firstLength(now) >= 0 : channel.queue.first(now) !== undefined)
        return channel
      this.#ready.shift()
    }
  }

  get hasWork(): boolean {
    return this.#ready.size > 0 && this.#first(this.clock.monotonic()) !== undefined
  }

  schedule(channel: DatagramChannel | IpChannel): void {
    this.#ready.add(channel)
    this.#announce()
  }

  /**
   * Writes what fits; returns the number of frames of the packet.
   * @param sent of the leg that it goes over
   * @param isAlone no data of streams stands before it: what does not fit goes in parts, as the next packet has no more room
   */
  write(writer: FrameWriter, sent: SentPackets, before: number, isAlone: boolean): number {
    const now = this.clock.monotonic()
    let frames = before
    while (frames < MAX_FRAMES_PER_PACKET) {
      const channel = this.#first(now)
      if (channel === undefined) break
      const isWritten =
        channel instanceof IpChannel
          ? this.#writePacket(writer, sent, channel, now)
          : this.#writeOne(writer, sent, channel, isAlone && frames === before, now)
      if (!isWritten) break
      frames++
    }
    return frames
  }

  #writeOne(writer: FrameWriter, sent: SentPackets, channel: DatagramChannel, isFirst: boolean, now: number): boolean {
    const { queue } = channel
    let item = queue.first(now)
    while (item !== undefined && !channel.isLive(item)) {
      queue.drop()
      item = queue.first(now)
    }
    if (item === undefined) return false
    const { target, bytes, code } = item
    const host = code === 0 ? channel.nameOf(item) : ''
    let isWhole: boolean
    if (code !== 0) isWhole = writer.unreached(channel.id, target.number, code)
    else isWhole = item.sent === 0 && writer.datagram(channel.id, target.number, target.port, host, bytes)
    if (!isWhole) {
      if (code !== 0 || (!isFirst && item.sent === 0)) return false
      if (item.number < 0) item.number = channel.nextPart()
      const part = [channel.id, target.number, target.port, host, item.number, bytes, item.sent] as const
      const length = writer.datagramPart(...part)
      if (length < 0) return false
      item.sent += length
    }
    sent.addFrame(host === '' ? SentKind.datagram : SentKind.namedDatagram, channel.id, target.number, 0)
    if (isWhole || item.sent === bytes.length) {
      this.dataSent += bytes.length
      queue.shift()
      this.#ready.rotate()
    }
    return true
  }

  #writePacket(writer: FrameWriter, sent: SentPackets, channel: IpChannel, now: number): boolean {
    const { queue } = channel
    const length = queue.firstLength(now)
    // What does not fit beside an ACK goes in the next packet, which has none.
    if (length < 0 || !writer.packet(channel.id, queue.first, length)) return false
    sent.addFrame(SentKind.datagram, channel.id, 0, 0)
    this.dataSent += length
    queue.shift()
    this.#ready.rotate()
    return true
  }

  /** A DATAGRAM frame of a channel of IP packets came. @throws SessionViolation */
  onIpFrame(channel: IpChannel, frame: DatagramFrame, payload: Uint8Array, start: number, end: number): void {
    if (frame.target !== 0 || frame.isNamed || frame.isPart)
      throw new SessionViolation('an IP packet has a target or parts')
    if (end - start > MAX_IP_PACKET_BYTES) throw new SessionViolation(`an IP packet has ${end - start} bytes`)
    this.dataReceived += end - start
    channel.handler.onPacket?.(payload.subarray(start, end))
  }

  /** A DATAGRAM frame of `channel` came; false when there was no memory to note its target. @throws SessionViolation */
  onFrame(channel: DatagramChannel, frame: DatagramFrame, payload: Uint8Array, start: number, end: number): boolean {
    const target = channel.targetOf(frame)
    if (target === 'noMemory') return false
    if (target === undefined) return true
    const bytes = frame.isPart
      ? this.#partials.add(frame, payload, start, end, this.clock.monotonic())
      : payload.subarray(start, end)
    if (bytes === undefined) return true
    this.dataReceived += bytes.length
    channel.deliver(target, bytes)
    return true
  }

  /** The channel is over. */
  forget(channel: DatagramChannel | IpChannel): void {
    if (channel.id >= 0 && !(channel instanceof IpChannel)) this.#partials.forget(channel.id)
    channel.end()
  }

  clear(): void {
    this.#ready.clear()
    this.#partials.clear()
  }
}
