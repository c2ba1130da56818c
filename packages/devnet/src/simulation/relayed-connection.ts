import type { Clock } from '@weft/core'
import { RELAYED_BYTES, RELAYED_MS } from '@weft/overlay'
import { Connection, type ConnectionEnd } from './connection.ts'

/** One end of a relayed connection, and its connection to the relay. */
export interface Leg {
  readonly endpoint: ConnectionEnd
  readonly connection: Connection
}

export interface RelayedConnectionOptions {
  readonly time: Clock
  readonly relay: ConnectionEnd
  /** How both sides see it, a multiaddr: the relay's. */
  readonly address: string
  readonly dialler: Leg
  readonly listener: Leg
  /** The relay carries it no longer. */
  readonly onEnd: () => void
}

/**
 * A connection over a relay: what is sent goes through the connections that both sides have to it, and ends with either.
 * The relay resets it after so many bytes and so long (docs/specs/reach.md, Relays).
 */
export class RelayedConnection extends Connection {
  readonly relayed = true
  readonly #options: RelayedConnectionOptions
  #bytes = 0
  #carried = true
  readonly #cancelLimit: () => void

  constructor(options: RelayedConnectionOptions) {
    const { time, relay, address, dialler, listener } = options
    super({ endpoint: dialler.endpoint, address }, { endpoint: listener.endpoint, address }, time.monotonic())
    this.#options = options
    this.#cancelLimit = relay.process.clock.after(RELAYED_MS, () => this.#drop())
    for (const { endpoint, connection } of [dialler, listener]) {
      connection.bulk++
      connection.onClose(endpoint, () => void this.end(endpoint))
      connection.onClose(relay, () => this.#drop())
    }
    this.announce()
  }

  send(from: ConnectionEnd, bytes: number, arrive: () => void): void {
    if (!this.isOpen(from)) return
    const { relay } = this.#options
    const [here, there] = this.#legs(from)
    here.connection.send(from, bytes, () => {
      if (!this.#carried) return
      this.#bytes += bytes
      if (this.#bytes > RELAYED_BYTES) {
        this.#drop()
        return
      }
      there.connection.send(relay, bytes, () => {
        if (this.isOpen(there.endpoint)) arrive()
      })
    })
  }

  close(from: ConnectionEnd): void {
    if (!this.isOpen(from)) return
    this.#tell(from)
    this.end(from)
  }

  reset(from: ConnectionEnd): void {
    this.end(from)
  }

  /** The connections to the relay find out by themselves. */
  refresh(): void {}

  /** This side closes: the relay hears of it, and ends the other. */
  #tell(from: ConnectionEnd): void {
    this.#legs(from)[0].connection.send(from, 0, () => this.#drop())
  }

  /** The relay lets go of it, and of both sides those that it still has a connection to hear of that. */
  #drop(): void {
    if (!this.#carried) return
    this.#carried = false
    this.#cancelLimit()
    const { relay, dialler, listener, onEnd } = this.#options
    for (const { endpoint, connection } of [dialler, listener]) {
      connection.bulk--
      connection.send(relay, 0, () => void this.end(endpoint))
    }
    onEnd()
  }

  #legs(from: ConnectionEnd): readonly [Leg, Leg] {
    const { dialler, listener } = this.#options
    return dialler.endpoint === from ? [dialler, listener] : [listener, dialler]
  }
}
