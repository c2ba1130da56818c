import type { Endpoint } from '@weft/onion'
import type { CarriageConnection, QueuedBytes } from './carriage-connection.ts'
import type { CarriageCounters } from './carriage-counters.ts'
import { BUSY_BYTES, FULL_BYTES, QUEUED_BYTES } from './carriage-limits.ts'
import type { GatherBuffers } from './gather-buffers.ts'
import { FRAME_BYTES, writeFrame } from './frame-reader.ts'

/** Packets that are gathered for one write: 46 KB, three records of TLS. */
const GATHERED = 32
export const GATHERED_BYTES = GATHERED * FRAME_BYTES

export interface FlowInit {
  readonly address: string
  readonly port: number
  readonly counters: CarriageCounters
  readonly queued: QueuedBytes
  /** Of GATHERED_BYTES each. */
  readonly buffers: GatherBuffers
  /** Something was sent, to be handed over by `flush`. */
  readonly onSend: (flow: Flow) => void
  /** Packets may wait for a connection that is being made. */
  readonly waits: boolean
}

/**
 * The connections that lead to one place, as an endpoint of links. Packets are gathered and handed to one connection as long as it
 * takes them, then to the one with least waiting; where all have much, they are dropped, as a full router would.
 */
export class Flow implements Endpoint {
  readonly address: string
  readonly port: number
  readonly over = 'tls'
  readonly #init: FlowInit
  readonly #connections: CarriageConnection[] = []
  #current: CarriageConnection | undefined
  /** Lent from the first packet until all gathered ones are handed over or dropped. */
  #gathered: Uint8Array | undefined
  #count = 0
  /** Monotonic ms, kept by its owner: since when it is there, when something was last sent over it. */
  openedAt = 0
  sentAt: number | undefined

  constructor(init: FlowInit) {
    this.address = init.address
    this.port = init.port
    this.#init = init
  }

  get connections(): number {
    return this.#connections.length
  }

  /** Copies the packet; drops and counts it where there is no room. */
  send(packet: Uint8Array): void {
    const { counters, waits } = this.#init
    if (this.#connections.length === 0 && !waits) {
      counters.carriageClosed++
      return
    }
    if (this.#count === GATHERED) this.flush()
    if (this.#count === GATHERED) {
      counters.carriageClosed++
      return
    }
    this.#gathered ??= this.#init.buffers.take()
    writeFrame(this.#gathered, this.#count * FRAME_BYTES, packet)
    this.#count++
    if (this.#count === 1) this.#init.onSend(this)
  }

  /** Hands what was gathered to a connection; it stays while there is none. */
  flush(): void {
    const { counters } = this.#init
    if (this.#count === 0 || this.#connections.length === 0) return
    const connection = this.#choose()
    if (connection === undefined) counters.carriageFull += this.#count
    else {
      connection.write(Buffer.copyBytesFrom(this.#gathered as Uint8Array, 0, this.#count * FRAME_BYTES))
      counters.sent += this.#count
    }
    this.#forget()
  }

  add(connection: CarriageConnection): void {
    this.#connections.push(connection)
    this.flush()
  }

  remove(connection: CarriageConnection): void {
    const at = this.#connections.indexOf(connection)
    if (at >= 0) this.#connections.splice(at, 1)
    if (this.#current === connection) this.#current = undefined
    if (this.#connections.length === 0) this.drop()
  }

  /** Drops what waits for a connection. */
  drop(): void {
    this.#init.counters.carriageClosed += this.#count
    this.#forget()
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  #forget(): void {
    this.#count = 0
    if (this.#gathered !== undefined) this.#init.buffers.giveBack(this.#gathered)
    this.#gathered = undefined
  }

  #choose(): CarriageConnection | undefined {
    // Who reads is served still, a write at a time; who does not costs one write more, and then nothing.
    const crowded = this.#init.queued.bytes > QUEUED_BYTES
    const current = this.#current
    if (current !== undefined && current.waiting < (crowded ? 1 : BUSY_BYTES)) return current
    let least: CarriageConnection | undefined
    for (const connection of this.#connections)
      if (least === undefined || connection.waiting < least.waiting) least = connection
    if (least === undefined || least.waiting >= (crowded ? 1 : FULL_BYTES)) return undefined
    this.#current = least
    return least
  }
}
