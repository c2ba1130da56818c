import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type UdpPort, type UdpPortOptions } from './udp-port.ts'
import { systemRandom } from '@weft/core'
import { HALF_SIZE, HalfWriter, PACKET_SIZE, Packet } from '@weft/onion'
import { type Destination, DestinationTable } from './destination-table.ts'
import { EndpointTable } from './endpoint-table.ts'
import type { Endpoint } from '@weft/onion'
import { HalvedPackets } from './halved-packets.ts'
import { RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES } from './linux-udp-socket.ts'
import { PacketBatch } from './packet-batch.ts'
import { AF_INET, AF_INET6 } from './socket-address.ts'
import { systemErrorName } from './system-error-name.ts'
import { UdpCounters } from './udp-counters.ts'
import { udpPortError } from './udp-port-error.ts'

/** libuv reads up to 32 datagrams in a turn of the event loop; twice that for what comes in two turns. */
const BATCH_PACKETS = 64
/** Packets that may wait for the kernel. */
const QUEUE_PACKETS = 1_024
/** So many wait, and so few again, when that is said. */
const HOLD_PACKETS = 256
const RESUME_PACKETS = 64

type PlainPortOptions = Omit<UdpPortOptions, 'logger'>

/** The port for every system, by node:dgram: one system call and 7 to 9 µs a packet. */
export class PlainPort implements UdpPort {
  readonly kind = 'plain'
  readonly address: Endpoint
  readonly counters = new UdpCounters()
  readonly #socket: Socket
  readonly #onBatch: UdpPortOptions['onBatch']
  readonly #onHold: (isHeld: boolean) => void
  readonly #endpoints = new EndpointTable()
  readonly #destinations: DestinationTable
  readonly #halves = new HalvedPackets()
  readonly #writer = new HalfWriter(systemRandom)
  readonly #slots = Array.from({ length: BATCH_PACKETS }, () => new Packet())
  readonly #batch = new PacketBatch(BATCH_PACKETS, this.#slots[0] as Packet)
  #scheduled = false
  #queued = 0
  #isHeld = false
  #closed = false

  /** @throws WeftError E_PORT_TAKEN, E_UDP_PORT */
  static async open(options: PlainPortOptions): Promise<PlainPort> {
    const { host, port, sharing } = options
    const isIPv6 = host.includes(':')
    const socket = createSocket({
      type: isIPv6 ? 'udp6' : 'udp4',
      reusePort: sharing !== undefined,
      ipv6Only: isIPv6 && host !== '::',
      // Only IP literals are sent to; the default looks each up, a turn later.
      lookup: (address, _family, callback) => callback(null, address, isIPv6 ? 6 : 4),
    })
    try {
      const listening = once(socket, 'listening')
      // Of a port that is shared node:dgram knows: `exclusive` would be against it.
      socket.bind({ address: host, port, exclusive: sharing === undefined })
      await listening
    } catch (error) {
      socket.close()
      throw udpPortError(host, port, systemErrorName(error), error)
    }
    return new PlainPort(socket, options)
  }

  private constructor(socket: Socket, { host, onBatch, onHold }: PlainPortOptions) {
    this.#socket = socket
    this.#onBatch = onBatch
    this.#onHold = onHold ?? (() => {})
    this.#destinations = new DestinationTable(host.includes(':') ? AF_INET6 : AF_INET, host === '::')
    this.address = { address: host, port: socket.address().port }
    enlarge(() => socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES))
    enlarge(() => socket.setSendBufferSize(SEND_BUFFER_BYTES))
    socket.on('message', this.#onMessage)
    socket.on('error', (error) => this.counters.receiveFailed(systemErrorName(error)))
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed) return
    const destination = bytes.length === PACKET_SIZE ? this.#destinations.of(to) : undefined
    if (destination === undefined) this.counters.sendFailed('EINVAL', 1)
    else if (this.#queued >= QUEUE_PACKETS) this.counters.overflowed++
    else if (destination.halved) {
      const both = Buffer.alloc(2 * HALF_SIZE)
      this.#writer.write(bytes, both, 0)
      this.#send(both.subarray(0, HALF_SIZE), destination)
      this.#send(both.subarray(HALF_SIZE), destination)
    } else this.#send(Buffer.from(bytes), destination)
  }

  #send(datagram: Buffer, { port, host }: Destination): void {
    this.#queued++
    if (this.#queued === HOLD_PACKETS) this.#hold(true)
    this.#socket.send(datagram, port, host, this.#onSent)
  }

  /** Packets leave one by one as they are sent. */
  flush(): void {}

  /** Node tells nobody its descriptor. */
  mark(): boolean {
    return false
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  readonly #onSent = (error: Error | null): void => {
    this.#queued--
    if (this.#isHeld && this.#queued <= RESUME_PACKETS) this.#hold(false)
    if (error === null) this.counters.sent++
    else if (!this.#closed) this.counters.sendFailed(systemErrorName(error), 1)
  }

  #hold(isHeld: boolean): void {
    if (this.#closed || isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    this.#onHold(isHeld)
  }

  readonly #onMessage = (message: Buffer, { address, port }: RemoteInfo): void => {
    if (this.#closed) return
    const slot = this.#slots[this.#batch.count] as Packet
    const isHalf = message.length === HALF_SIZE
    if (!isHalf && !slot.copyFrom(message)) {
      this.counters.foreign++
      return
    }
    const from = this.#endpoints.ofText(address, port)
    if (from === undefined) {
      this.counters.unanswerable++
      return
    }
    if (isHalf) this.#halves.take(message, 0, HALF_SIZE, from, this.#batch)
    else this.#batch.add(slot, from)
    if (this.#batch.count === BATCH_PACKETS) this.#deliver()
    else if (!this.#scheduled) {
      this.#scheduled = true
      // Runs when all datagrams of this turn were read.
      setImmediate(this.#onTurnOver)
    }
  }

  readonly #onTurnOver = (): void => {
    this.#scheduled = false
    this.#deliver()
  }

  #deliver(): void {
    const batch = this.#batch
    if (this.#closed || batch.count === 0) return
    const { count } = batch
    batch.count = 0
    this.counters.received += count
    this.#onBatch(count, batch.packets, batch.from)
    this.#halves.free()
    this.counters.halvesLost = this.#halves.lost
  }
}

/** macOS refuses more than its limit where Linux gives what it can: then the buffer stays as it is. */
function enlarge(set: () => void): void {
  try {
    set()
  } catch (error) {
    if (systemErrorName(error) !== 'ERR_SOCKET_BUFFER_SIZE') throw error
  }
}
