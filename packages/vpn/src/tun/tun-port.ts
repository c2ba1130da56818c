import type { FlushQueue, Flushable } from '../engine/flush-queue.ts'
import { nativeBytes } from '../udp/linux-socket-calls.ts'
import { freeOwn } from './free-own.ts'
import type { HeldPacket } from './held-packet.ts'
import { LinuxTun, type LinuxTunCalls } from './linux-tun.ts'
import { PacketMerger } from './packet-merger.ts'
import { PacketRoom } from './packet-room.ts'
import { PacketSplitter, type TakePacket } from './packet-splitter.ts'
import { noTunPackets } from './tun-counters.ts'
import { VIRTIO_BYTES } from './virtio-header.ts'

export interface TunPortOptions {
  readonly name: string
  /** Of a packet: what a super-packet is split into has no more. */
  readonly mostBytes: number
  /** Writes what is merged at the end of a turn. */
  readonly queue: Pick<FlushQueue, 'mark' | 'remove'>
  /** A packet that the system sent into the interface. */
  readonly onPacket: TakePacket
  /** The interface is gone: somebody deleted it. */
  readonly onGone: (error: unknown) => void
}

/** Packets after which the rest of a turn of the event loop is left to others: some 0.3 ms. */
const TURN_PACKETS = 128
/** Seconds after which a wait is begun anew: a thread that is ended without close() hangs no longer. */
const WAIT_SECONDS = 1n
const POLLIN = 1

/**
 * The packets of a TUN interface: read into one buffer, as many a turn as there are up to a bound. Between them one wait takes one
 * thread of libuv's pool, since Node can wait for sockets and pipes only (docs/adr/0043-the-whole-machine.md). Where the system has
 * super-packets, one call reads and writes many of a flow (docs/adr/0051-super-packets.md).
 */
export class TunPort implements Flushable {
  readonly #calls: LinuxTunCalls
  readonly #options: TunPortOptions
  readonly #tun: LinuxTun
  /** Ends a wait when it is written to. */
  readonly #wake: number
  readonly counters = noTunPackets()
  readonly #room = new PacketRoom()
  readonly #splitter: PacketSplitter
  readonly #merger: PacketMerger
  /** Where nothing can be merged, packets are written without that header, too. */
  readonly #headerBytes: number
  /** Two of struct pollfd: int fd, short events, short revents. */
  readonly #descriptors = nativeBytes(16)
  readonly #timeout = nativeBytes(16)
  #isWaiting = false
  #isClosed = false

  /** @throws Error as `LinuxTun` */
  constructor(calls: LinuxTunCalls, options: TunPortOptions) {
    this.#calls = calls
    this.#options = options
    this.#tun = openTun(calls, options.name)
    const { virtio, tcp, udp } = this.#tun.offload
    this.#headerBytes = virtio ? VIRTIO_BYTES : 0
    this.#splitter = new PacketSplitter(options.mostBytes, (bytes, length) => this.#handOn(bytes, length))
    this.#merger = new PacketMerger({ tcp, udp, write: (held) => this.#write(held) })
    this.#wake = calls.eventfd()
    if (this.#wake < 0) {
      this.#tun[Symbol.dispose]()
      throw new Error(`eventfd: ${calls.errorName(calls.errno())}`)
    }
    const view = new DataView(this.#descriptors.buffer)
    for (const [index, fd] of [this.#tun.fd, this.#wake].entries()) {
      view.setInt32(8 * index, fd, true)
      view.setInt16(8 * index + 4, POLLIN, true)
    }
    new DataView(this.#timeout.buffer).setBigInt64(0, WAIT_SECONDS, true)
  }

  /** Packets come from now on. */
  start(): void {
    this.#wait()
  }

  /** Where a packet is to be laid that is written next. */
  get room(): Uint8Array {
    return this.#merger.room
  }

  /** Hands the packet of `length` bytes in `room` to the system, as one that came in by the interface: by the end of this turn. */
  write(length: number): void {
    if (this.#isClosed) return
    const merger = this.#merger
    const wasHolding = merger.isHolding
    merger.add(length)
    this.counters.broken = merger.broken
    if (!wasHolding && merger.isHolding) this.#options.queue.mark(this)
  }

  flush(): boolean {
    if (!this.#isClosed) this.#merger.flush()
    return false
  }

  /** The interface goes, and with it its addresses and routes. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#options.queue.remove(this)
    // The descriptors stay open while a wait looks at them: their numbers could be somebody else's soon.
    if (this.#isWaiting) this.#calls.write(this.#wake, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8)
    else this.#free()
  }

  #free(): void {
    this.#tun[Symbol.dispose]()
    this.#calls.close(this.#wake)
  }

  #wait(): void {
    this.#isWaiting = true
    this.#calls.waitForReadable(this.#descriptors, 2, this.#timeout, this.#onReadable)
  }

  readonly #onReadable = (): void => {
    this.#isWaiting = false
    if (this.#isClosed) this.#free()
    else this.#drain()
  }

  readonly #drain = (): void => {
    if (this.#isClosed) return
    const { bytes, whole } = this.#room
    const into = this.#headerBytes === 0 ? bytes : whole
    let left = TURN_PACKETS
    try {
      while (left > 0) {
        const length = this.#tun.read(into)
        if (length === 0) break
        left -= this.#take(length - this.#headerBytes)
      }
    } catch (error) {
      this.close()
      this.#options.onGone(error)
      return
    }
    if (left > 0) this.#wait()
    else this.#drainLater()
  }

  /** How many packets were read at once. */
  #take(length: number): number {
    const { counters } = this
    if (this.#headerBytes === 0) {
      this.#handOn(this.#room.bytes, length)
      return 1
    }
    const count = length <= 0 ? 0 : this.#splitter.split(this.#room, length)
    if (count === 0) counters.unreadable++
    else if (count > 1) {
      counters.readSuper++
      counters.split += count
    }
    return Math.max(1, count)
  }

  #handOn(bytes: Uint8Array, length: number): void {
    this.counters.readPackets++
    this.counters.readBytes += length
    this.#options.onPacket(bytes, length)
  }

  #write(held: HeldPacket): void {
    const { room, length, count } = held
    const { counters } = this
    const bytes = this.#headerBytes === 0 ? room.bytes : room.whole
    if (!this.#tun.write(bytes, length + this.#headerBytes)) {
      if (count > 1 && this.#tun.wasInvalid) this.#writeSplit(room, length)
      else counters.refused += count
      return
    }
    counters.writtenPackets += count
    counters.writtenBytes += held.totalBytes
    if (count === 1) return
    counters.writtenSuper++
    counters.merged += count
  }

  /** A kernel that finds fault with a super-packet gets its packets. */
  #writeSplit(room: PacketRoom, length: number): void {
    const single = new PacketRoom()
    const splitter = new PacketSplitter(this.#options.mostBytes, (bytes, bytesLength) => {
      single.bytes.set(bytes.subarray(0, bytesLength))
      const { counters } = this
      if (this.#tun.write(single.whole, bytesLength + VIRTIO_BYTES)) {
        counters.writtenPackets++
        counters.writtenBytes += bytesLength
      } else counters.refused++
    })
    splitter.split(room, length)
  }

  #drainLater(): void {
    // close() may come before: then #drain does nothing, and the descriptors are closed already.
    setImmediate(this.#drain)
  }
}

function openTun(calls: LinuxTunCalls, name: string): LinuxTun {
  try {
    return new LinuxTun(calls, name, true)
  } catch (error) {
    if (!freeOwn(calls, name)) throw error
    return new LinuxTun(calls, name, true)
  }
}
