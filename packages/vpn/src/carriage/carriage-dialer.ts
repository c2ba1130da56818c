import type { TLSSocket } from 'node:tls'
import { type Clock, type Random, toHex } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import { CarriageConnection, type CarriageConnectionEvents, type QueuedBytes } from './carriage-connection.ts'
import type { CarriageCounters } from './carriage-counters.ts'
import {
  FLOW_CONNECTIONS,
  HANDSHAKE_MS,
  IDLE_MS,
  RETRY_FIRST_MS,
  RETRY_MOST_MS,
  THROUGH_MS,
} from './carriage-limits.ts'
import { Flow } from './flow.ts'
import type { GatherBuffers } from './gather-buffers.ts'
import { FLOW_ID_BYTES, writePreface } from './preface.ts'
import { type OpenThrough, openTls } from './open-tls.ts'

export interface CarriageDialerInit {
  readonly clock: Clock
  readonly random: Random
  readonly counters: CarriageCounters
  readonly queued: QueuedBytes
  readonly buffers: GatherBuffers
  /** What a flow does with what comes. */
  readonly events: (flow: Flow) => Pick<CarriageConnectionEvents, 'onPacket' | 'onRead'>
  readonly onSend: (flow: Flow) => void
  /** By way of whom nodes are called; by default by this one itself. */
  readonly through?: OpenThrough | undefined
  readonly onTried?: ((way: Endpoint, isMade: boolean) => void) | undefined
}

/** Flows remembered; beyond it those without connections are forgotten. */
const CAPACITY = 64
/** ms without an answer to what was sent, after which connections are taken for dead: a network that is gone tells nobody. */
const DEAF_MS = 4_000
/** ms before a connection is tried again that ended unused while others stand. */
const MORE_MS = 30_000

interface Call {
  readonly flow: Flow
  readonly linkKey: Uint8Array
  flowId: Uint8Array
  /** Being made: one at a time. */
  calling: AbortController | undefined
  /** Something came: the node is one that does this, and gets all connections. */
  heard: boolean
  /** Monotonic ms: of the first packet since the last that came. */
  askedAt: number | undefined
  retryAt: number
  /** Not before it another beside those that stand: one ended over which nothing came, as where the other side has all that it takes. */
  moreAt: number
  retryMs: number
}

/** The side of packets in TLS that calls: a client's. It calls when there is something to send. */
export class CarriageDialer {
  readonly #init: CarriageDialerInit
  readonly #calls = new Map<string, Call>()
  #closed = false

  constructor(init: CarriageDialerInit) {
    this.#init = init
  }

  /** The way to a node in TLS, the same for the same node. Nothing is sent yet. */
  flowTo({ address, port }: Endpoint, linkKey: Uint8Array): Flow {
    const name = `${address}|${port}|${toHex(linkKey)}`
    const known = this.#calls.get(name)
    if (known !== undefined) return known.flow
    if (this.#calls.size >= CAPACITY)
      for (const [other, { flow, calling }] of this.#calls)
        if (flow.connections === 0 && calling === undefined) this.#calls.delete(other)
    const { counters, queued, buffers, clock } = this.#init
    const onSend = (flow: Flow): void => {
      call.askedAt ??= clock.monotonic()
      this.#init.onSend(flow)
      this.#callFor(call)
    }
    const call: Call = {
      flow: new Flow({ address, port, counters, queued, buffers, waits: true, onSend }),
      linkKey,
      flowId: new Uint8Array(),
      calling: undefined,
      heard: false,
      askedAt: undefined,
      retryAt: -Infinity,
      moreAt: -Infinity,
      retryMs: RETRY_FIRST_MS,
    }
    this.#calls.set(name, call)
    return call.flow
  }

  /** Closes what nothing is sent over any more, and what nothing comes back from. */
  look(now: number): void {
    for (const { flow, askedAt } of this.#calls.values()) {
      const idle = flow.sentAt !== undefined && now - flow.sentAt > IDLE_MS
      if (idle || (askedAt !== undefined && now - askedAt > DEAF_MS)) flow.close()
    }
  }

  close(): void {
    this.#closed = true
    for (const { flow, calling } of this.#calls.values()) {
      calling?.abort()
      flow.close()
    }
  }

  #callFor(call: Call): void {
    const { clock, random } = this.#init
    const { flow } = call
    const wanted = call.heard ? FLOW_CONNECTIONS : 1
    if (this.#closed || call.calling !== undefined || flow.connections >= wanted) return
    if (flow.connections > 0 && clock.monotonic() < call.moreAt) return
    if (clock.monotonic() < call.retryAt) {
      if (flow.connections === 0) flow.drop()
      return
    }
    if (flow.connections === 0) call.flowId = random.bytes(FLOW_ID_BYTES)
    const { through } = this.#init
    const calling = new AbortController()
    call.calling = calling
    const cancel = clock.after(through === undefined ? HANDSHAKE_MS : THROUGH_MS, () => calling.abort())
    openTls(flow, through, calling.signal)
      .finally(cancel)
      .then(
        (tls) => {
          call.calling = undefined
          if (this.#closed) return void tls.destroy()
          this.#init.onTried?.(flow, true)
          if (!tls.destroyed) this.#join(call, tls)
        },
        () => this.#onFailed(call),
      )
  }

  #onFailed(call: Call): void {
    call.calling = undefined
    call.retryAt = this.#init.clock.monotonic() + call.retryMs
    call.retryMs = Math.min(RETRY_MOST_MS, 2 * call.retryMs)
    if (call.flow.connections > 0) return
    if (!this.#closed) this.#init.onTried?.(call.flow, false)
    this.#silence(call)
  }

  #join(call: Call, tls: TLSSocket): void {
    const { counters, queued, clock } = this.#init
    const { flow } = call
    let heardHere = false
    const { onPacket, onRead } = this.#init.events(flow)
    const connection = new CarriageConnection(tls, queued, {
      onPacket,
      onRead: () => {
        heardHere = true
        call.heard = true
        call.askedAt = undefined
        call.retryMs = RETRY_FIRST_MS
        onRead()
      },
      onMalformed: () => counters.carriageMalformed++,
      onClose: () => {
        flow.remove(connection)
        if (flow.connections === 0) this.#silence(call)
        else if (!heardHere) call.moreAt = clock.monotonic() + MORE_MS
      },
    })
    // What was asked before could not be heard yet.
    if (call.askedAt !== undefined) call.askedAt = clock.monotonic()
    connection.write(writePreface(call.flowId, call.linkKey))
    flow.add(connection)
    if (call.heard) this.#callFor(call)
  }

  #silence(call: Call): void {
    call.heard = false
    call.askedAt = undefined
    call.moreAt = -Infinity
    call.flow.drop()
  }
}
