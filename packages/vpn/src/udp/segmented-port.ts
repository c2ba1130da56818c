import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { freeNow } from '@weft/core'
import { HALF_SIZE, PACKET_SIZE, Packet } from '@weft/onion'
import { type Destination, DestinationTable } from './destination-table.ts'
import { EndpointTable } from './endpoint-table.ts'
import { HalvedPackets, areHalves } from './halved-packets.ts'
import type { Endpoint } from '@weft/onion'
import type { LinuxSocketCalls } from './linux-socket-calls.ts'
import { forbidReuse, markSocket, openLinuxUdpSocket } from './linux-udp-socket.ts'
import { PacketBatch } from './packet-batch.ts'
import { RING_MESSAGES, ReceiveRing, SUPER_PACKET_PACKETS } from './receive-ring.ts'
import { SendQueue } from './send-queue.ts'
import { AF_INET, AF_INET6 } from './socket-address.ts'
import { systemErrorName } from './system-error-name.ts'
import { UdpCounters } from './udp-counters.ts'
import { udpPortError } from './udp-port-error.ts'
import type { UdpPort, UdpPortOptions } from './udp-port.ts'

/** Packets after which the rest of a turn of the event loop is left to others: 1.6 ms of a relay's work at 3.2 µs each. */
const TURN_PACKETS = 512

/**
 * The port for Linux. The socket belongs to node:dgram, which waits for it in the event loop and reads the first
 * datagram (docs/adr/0010-udp-port.md); everything else goes through system calls that take many packets each.
 *
 * In: a super-packet that node:dgram reads comes without the size of its segments. It is cut into packets, which is right
 * for each that consists of packets. Of a datagram of another size each full packet's length is taken as one; the rest is dropped.
 * What is no packet of its sender's no receiver can authenticate.
 */
export class SegmentedPort implements UdpPort {
  readonly kind = 'segmented'
  readonly address: Endpoint
  readonly counters = new UdpCounters()
  readonly #calls: LinuxSocketCalls
  readonly #fd: number
  readonly #socket: Socket
  readonly #onBatch: UdpPortOptions['onBatch']
  readonly #endpoints = new EndpointTable()
  readonly #destinations: DestinationTable
  readonly #halves = new HalvedPackets()
  readonly #ring: ReceiveRing
  readonly #queue: SendQueue
  readonly #firstSlots = Array.from({ length: SUPER_PACKET_PACKETS }, () => new Packet())
  readonly #batch: PacketBatch
  /** Packets of this turn, counted once there were more than one round takes. */
  #turnPackets = 0
  #closed = false

  /** @throws WeftError E_PORT_TAKEN, E_UDP_PORT. @throws Error when the kernel cannot do it */
  constructor(calls: LinuxSocketCalls, { host, port, sharing, onBatch, onHold }: Omit<UdpPortOptions, 'logger'>) {
    const isIPv6 = host.includes(':')
    const fd = openLinuxUdpSocket(calls, host, port, sharing !== undefined)
    this.#socket = createSocket({
      type: isIPv6 ? 'udp6' : 'udp4',
      // Only IP literals are sent to; the default looks each up, a turn later.
      lookup: (address, _family, callback) => callback(null, address, isIPv6 ? 6 : 4),
    })
    try {
      this.#socket.bind({ fd, exclusive: true })
    } catch (error) {
      calls.close(fd)
      this.#socket.close()
      throw udpPortError(host, port, systemErrorName(error), error)
    }
    forbidReuse(calls, fd)
    this.#calls = calls
    this.#fd = fd
    this.address = { address: host, port: this.#socket.address().port }
    this.#onBatch = onBatch
    this.#destinations = new DestinationTable(isIPv6 ? AF_INET6 : AF_INET, host === '::')
    this.#ring = new ReceiveRing(calls, fd, this.#endpoints, this.#halves, this.counters)
    this.#queue = new SendQueue(calls, fd, this.counters, this.#sendAlone, onHold ?? (() => {}))
    this.#batch = new PacketBatch((RING_MESSAGES + 1) * SUPER_PACKET_PACKETS, this.#firstSlots[0] as Packet)
    this.#socket.on('message', this.#onMessage)
    this.#socket.on('error', (error) => this.counters.receiveFailed(systemErrorName(error)))
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed) return
    const destination = bytes.length === PACKET_SIZE ? this.#destinations.of(to) : undefined
    if (destination === undefined) this.counters.sendFailed('EINVAL', 1)
    else this.#queue.add(bytes, destination)
  }

  flush(): void {
    if (!this.#closed) this.#queue.flush()
  }

  mark(mark: number): boolean {
    return !this.#closed && markSocket(this.#calls, this.#fd, mark)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue.close()
    this.#socket.close()
  }

  readonly #onMessage = (message: Buffer, { address, port }: RemoteInfo): void => {
    if (this.#closed) return
    const batch = this.#batch
    batch.count = 0
    this.#takeFirst(message, this.#endpoints.ofText(address, port))
    freeNow(message)
    if (this.#turnPackets < TURN_PACKETS && this.#ring.receive(batch)) {
      if (this.#turnPackets === 0) setImmediate(this.#onTurnOver).unref()
      this.#turnPackets += batch.count
    }
    if (batch.count === 0) return
    this.counters.received += batch.count
    this.#onBatch(batch.count, batch.packets, batch.from)
    this.#halves.free()
    this.counters.halvesLost = this.#halves.lost
  }

  #takeFirst(message: Buffer, from: Endpoint | undefined): void {
    if (areHalves(message.length)) {
      if (from === undefined) this.counters.unanswerable += message.length / HALF_SIZE
      else this.#halves.take(message, 0, message.length, from, this.#batch)
      return
    }
    const packets = Math.floor(message.length / PACKET_SIZE)
    if (packets === 0 || packets * PACKET_SIZE !== message.length) this.counters.foreign++
    if (from === undefined) {
      this.counters.unanswerable += packets
      return
    }
    for (let i = 0; i < packets; i++) {
      const slot = this.#firstSlots[i] as Packet
      message.copy(slot.bytes, 0, i * PACKET_SIZE, (i + 1) * PACKET_SIZE)
      this.#batch.add(slot, from)
    }
  }

  readonly #onTurnOver = (): void => {
    this.#turnPackets = 0
  }

  /** By node:dgram, which waits until the kernel takes more. */
  readonly #sendAlone = (packet: Uint8Array, { host, port }: Destination, done: (error?: string) => void): void => {
    this.#socket.send(packet, port, host, (error) => {
      if (!this.#closed) done(error === null ? undefined : systemErrorName(error))
    })
  }
}
