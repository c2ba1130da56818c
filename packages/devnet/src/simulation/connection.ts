import type { DidKey } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import type { SimulatedProcess } from './simulated-process.ts'

/** What stands at each end of a connection: one identity of a process. */
export interface ConnectionEnd {
  readonly id: DidKey
  readonly networkId: string
  readonly process: SimulatedProcess
  /** Takes a stream of a protocol, with the address that it came from; undefined when it does not offer that. */
  acceptor(protocol: StreamProtocol): ((stream: ByteStream, address: string) => void) | undefined
  /** A connection was made. */
  opened(connection: Connection): void
  /** A connection is over, as this end sees it. */
  closed(connection: Connection, to: DidKey): void
}

/** One side of a connection, as its process sees it. */
export interface Side {
  readonly endpoint: ConnectionEnd
  /** What the other side sees it come from: a multiaddr. */
  readonly address: string
}

interface OwnSide extends Side {
  open: boolean
  readonly closeListeners: Set<() => void>
}

/** What two nodes have to each other: what is sent arrives in order, later, and whole, or the connection ends. */
export abstract class Connection {
  /** Whether it goes over a relay. */
  abstract readonly relayed: boolean
  /** ms of the simulation's clock: when it was made. */
  readonly openedAt: number
  /** What runs over it beside control streams. */
  bulk = 0
  readonly #sides: readonly [OwnSide, OwnSide]

  constructor(dialler: Side, listener: Side, openedAt: number) {
    this.#sides = [sideOf(dialler), sideOf(listener)]
    this.openedAt = openedAt
  }

  /** Sends so many bytes; `arrive` is run by the other process when they are there, and never if the connection ends. */
  abstract send(from: ConnectionEnd, bytes: number, arrive: () => void): void

  /** Ends it from one side: that side at once, the other when it hears of it. */
  abstract close(from: ConnectionEnd): void

  /** The process of one side ended: its machine resets the connection. */
  abstract reset(from: ConnectionEnd): void

  /** Something changed that decides whether the sides hear each other. */
  abstract refresh(): void

  other(endpoint: ConnectionEnd): ConnectionEnd {
    return (this.#sides[0].endpoint === endpoint ? this.#sides[1] : this.#sides[0]).endpoint
  }

  /** Whether a side made it. */
  isDialler(endpoint: ConnectionEnd): boolean {
    return this.#sides[0].endpoint === endpoint
  }

  /** The address from which a side is seen. */
  addressOf(endpoint: ConnectionEnd): string {
    return this.#of(endpoint).address
  }

  isOpen(endpoint: ConnectionEnd): boolean {
    return this.#of(endpoint).open
  }

  /** Calls back when this side sees the end; at once when it has. Returns the unsubscribe function. */
  onClose(endpoint: ConnectionEnd, listener: () => void): () => void {
    const { open, closeListeners } = this.#of(endpoint)
    if (!open) {
      listener()
      return () => {}
    }
    closeListeners.add(listener)
    return () => closeListeners.delete(listener)
  }

  /** Tells both ends that it is there. */
  protected announce(): void {
    for (const { endpoint } of this.#sides) endpoint.opened(this)
  }

  /** It is over for one side. Whether it was not yet. */
  protected end(endpoint: ConnectionEnd): boolean {
    const side = this.#of(endpoint)
    if (!side.open) return false
    side.open = false
    endpoint.closed(this, this.other(endpoint).id)
    for (const listener of side.closeListeners) listener()
    side.closeListeners.clear()
    return true
  }

  #of(endpoint: ConnectionEnd): OwnSide {
    return this.#sides[0].endpoint === endpoint ? this.#sides[0] : this.#sides[1]
  }
}

function sideOf({ endpoint, address }: Side): OwnSide {
  return { endpoint, address, open: true, closeListeners: new Set() }
}
