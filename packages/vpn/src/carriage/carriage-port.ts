import { type Clock, type Random } from '@weft/core'
import { type Endpoint, Packet } from '@weft/onion'
import { PacketBatch } from '../udp/packet-batch.ts'
import type { UdpPortOptions } from '../udp/udp-port.ts'
import type { CarriageConnectionEvents } from './carriage-connection.ts'
import { CarriageCounters } from './carriage-counters.ts'
import { CarriageDialer } from './carriage-dialer.ts'
import { LOOK_MS } from './carriage-limits.ts'
import { CarriageListener } from './carriage-listener.ts'
import { Flow, GATHERED_BYTES } from './flow.ts'
import { GatherBuffers } from './gather-buffers.ts'
import type { OpenThrough } from './open-tls.ts'
import type { TlsIdentity } from './tls-options.ts'

/** Packets handed over at once; four records of TLS have 45. */
const BATCH_PACKETS = 64

export interface CarriagePortOptions {
  readonly clock: Clock
  readonly random: Random
  readonly onBatch: UdpPortOptions['onBatch']
  /** By way of whom nodes are called; by default by this one itself. */
  readonly through?: OpenThrough | undefined
  /** A connection to a node was made, or could not be. */
  readonly onTried?: ((way: Endpoint, isMade: boolean) => void) | undefined
  /** At a node that takes packets in TLS. */
  readonly listen?: {
    readonly host: string
    readonly port: number
    readonly identity: TlsIdentity
    readonly linkKey: Uint8Array
  }
}

/** Packets in TLS over TCP, in the form of a UDP port: datagrams that may be lost, to and from endpoints `over` TLS. */
export class CarriagePort {
  readonly counters = new CarriageCounters()
  readonly #clock: Clock
  readonly #onBatch: UdpPortOptions['onBatch']
  readonly #slots = Array.from({ length: BATCH_PACKETS }, () => new Packet())
  readonly #batch = new PacketBatch(BATCH_PACKETS, this.#slots[0] as Packet)
  readonly #queued = { bytes: 0 }
  readonly #buffers = new GatherBuffers(GATHERED_BYTES)
  /** Something was gathered for them. */
  readonly #unflushed = new Set<Flow>()
  readonly #dialer: CarriageDialer
  #listener: CarriageListener | undefined
  #cancelLook: (() => void) | undefined
  #closed = false

  /** @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED */
  static async open(options: CarriagePortOptions): Promise<CarriagePort> {
    const port = new CarriagePort(options)
    if (options.listen !== undefined)
      port.#listener = await CarriageListener.open({ ...port.#common(), ...options.listen, clock: options.clock })
    port.#lookLater()
    return port
  }

  private constructor({ clock, random, onBatch, through, onTried }: CarriagePortOptions) {
    this.#clock = clock
    this.#onBatch = onBatch
    this.#dialer = new CarriageDialer({ ...this.#common(), clock, random, through, onTried })
  }

  /** Clients that are connected here. */
  get flows(): number {
    return this.#listener?.flows ?? 0
  }

  /** What waits at all connections. */
  get queuedBytes(): number {
    return this.#queued.bytes
  }

  /** The TCP port that this node is called at. */
  get listening(): number | undefined {
    return this.#listener?.port
  }

  /** The way to a node in TLS, at the address and port where it takes packets. */
  to(endpoint: Endpoint, linkKey: Uint8Array): Endpoint {
    return this.#dialer.flowTo(endpoint, linkKey)
  }

  /** Copies one packet, for an endpoint that this port made. */
  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed) return
    if (!(to instanceof Flow)) {
      this.counters.carriageClosed++
      return
    }
    to.sentAt = this.#clock.monotonic()
    to.send(bytes)
  }

  flush(): void {
    for (const flow of this.#unflushed) flow.flush()
    this.#unflushed.clear()
  }

  close(): void {
    if (this.#closed) return
    this.flush()
    this.#closed = true
    this.#cancelLook?.()
    this.#listener?.close()
    this.#dialer.close()
  }

  #common() {
    return {
      counters: this.counters,
      queued: this.#queued,
      buffers: this.#buffers,
      events: (flow: Flow) => this.#eventsOf(flow),
      onSend: (flow: Flow) => void this.#unflushed.add(flow),
    }
  }

  #eventsOf(flow: Flow): Pick<CarriageConnectionEvents, 'onPacket' | 'onRead'> {
    const batch = this.#batch
    return {
      onPacket: (packet) => {
        const slot = this.#slots[batch.count] as Packet
        slot.bytes.set(packet)
        batch.add(slot, flow)
        if (batch.count === BATCH_PACKETS) this.#deliver()
      },
      onRead: () => this.#deliver(),
    }
  }

  #deliver(): void {
    const batch = this.#batch
    const { count } = batch
    batch.count = 0
    if (this.#closed || count === 0) return
    this.counters.received += count
    this.#onBatch(count, batch.packets, batch.from)
  }

  #lookLater(): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      const now = this.#clock.monotonic()
      this.#listener?.look(now)
      this.#dialer.look(now)
      this.#lookLater()
    })
  }
}
