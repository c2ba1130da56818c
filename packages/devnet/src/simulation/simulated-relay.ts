import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { type AccessPolicy, RelayRules, type RelaysConnection } from '@weft/overlay'
import type { Connection, ConnectionEnd } from './connection.ts'
import { RelayedConnection } from './relayed-connection.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'

/** Bytes of a message of circuit relay v2: its type, a peer's id, limits; and of one of the handshake that follows. */
const MESSAGE = 100
const HANDSHAKE = 2_000
/** ms that either side waits for the other. */
const TIMEOUT_MS = 5_000

/** A node as a relay for others: the rules are those that ship (`RelayRules`), circuit relay v2 below them is played. */
export class SimulatedRelay {
  /** By endpoint, for others to ask. */
  static readonly #of = new WeakMap<ConnectionEnd, SimulatedRelay>()
  readonly #endpoint: SimulatedEndpoint
  readonly #rules: RelayRules
  /** Who has a place, with the connection that it was asked for on. */
  readonly #places = new Map<DidKey, Connection>()
  readonly #carried = new Map<RelayedConnection, { readonly from: DidKey; readonly to: DidKey }>()

  constructor(endpoint: SimulatedEndpoint, access: AccessPolicy) {
    this.#endpoint = endpoint
    this.#rules = new RelayRules(access, endpoint.process.clock)
    SimulatedRelay.#of.set(endpoint, this)
  }

  /**
   * Asks for a place for as long as the connection to the relay lasts.
   * @throws WeftError E_RELAY_REFUSED
   */
  static reserve(from: SimulatedEndpoint, connection: Connection): Promise<void> {
    const relay = connection.other(from)
    return asked(from, connection, (grant, refuse) => {
      const service = SimulatedRelay.#of.get(relay)
      const given = service !== undefined && service.#reserve(from.id, connection)
      connection.send(relay, MESSAGE, () => (given ? grant() : refuse('it is none, or has no place left')))
    })
  }

  /**
   * Has a relay make a connection to a node that has a place there.
   * @throws WeftError E_RELAY_REFUSED
   */
  static connect(from: SimulatedEndpoint, connection: Connection, to: DidKey): Promise<RelayedConnection> {
    const relay = connection.other(from)
    return asked(from, connection, (grant, refuse) => {
      const service = SimulatedRelay.#of.get(relay)
      const answer = (why: string | undefined): void =>
        connection.send(relay, MESSAGE, () => {
          if (why !== undefined || service === undefined) refuse(why ?? 'it is no relay')
          else service.#secure(from, connection, to, grant, refuse)
        })
      const far = service === undefined ? undefined : service.#connect(from.id, to)
      if (far === undefined) answer('that node has no place there, or too much is carried')
      else far.send(relay, MESSAGE, () => far.send(far.other(relay), MESSAGE, () => answer(undefined)))
    })
  }

  #reserve(id: DidKey, connection: Connection): boolean {
    const places = [...this.#places].map(([holder, place]) => ({
      id: holder,
      address: addressOf(place, this.#endpoint),
    }))
    if (!this.#rules.mayReserve(id, this.#connections(), places)) return false
    this.#places.set(id, connection)
    connection.onClose(this.#endpoint, () => {
      if (this.#places.get(id) === connection) this.#places.delete(id)
    })
    return true
  }

  /** The connection to a node to which one more may be carried. */
  #connect(from: DidKey, to: DidKey): Connection | undefined {
    const place = this.#places.get(to)
    // What is asked for counts with its caller already.
    const may = this.#rules.mayConnect(from, to, this.#connections(from))
    return may && place?.isOpen(this.#endpoint) === true ? place : undefined
  }

  /** Both sides shake hands over the relay, which carries what they have from then on. */
  #secure(
    from: SimulatedEndpoint,
    near: Connection,
    to: DidKey,
    grant: (connection: RelayedConnection) => void,
    refuse: (why: string) => void,
  ): void {
    const relay = this.#endpoint
    const far = this.#places.get(to)
    if (far === undefined) {
      refuse('that node is gone')
      return
    }
    const target = far.other(relay)
    const over = (first: Connection, end: ConnectionEnd, second: Connection, then: () => void): void =>
      first.send(end, HANDSHAKE, () => second.send(relay, HANDSHAKE, then))
    over(near, from, far, () =>
      over(far, target, near, () => {
        if (!near.isOpen(relay) || !far.isOpen(relay) || !far.isOpen(target)) {
          refuse('a side of it is gone')
          return
        }
        const connection: RelayedConnection = new RelayedConnection({
          time: relay.process.clock,
          relay,
          address: `${addressOf(near, from)}/p2p-circuit`,
          dialler: { endpoint: from, connection: near },
          listener: { endpoint: target, connection: far },
          onEnd: () => this.#carried.delete(connection),
        })
        this.#carried.set(connection, { from: from.id, to })
        grant(connection)
      }),
    )
  }

  /** @param asking who asks for one more */
  #connections(asking?: DidKey): readonly RelaysConnection[] {
    const carried = [...this.#carried.values()]
    return this.#endpoint.connections().map((connection) => {
      const { id } = connection.other(this.#endpoint)
      const asCaller = carried.filter(({ from }) => from === id).length + (id === asking ? 1 : 0)
      const asTarget = carried.filter(({ to }) => to === id).length
      return {
        id,
        address: addressOf(connection, this.#endpoint),
        relayed: connection.relayed,
        carried: { asCaller, asTarget },
      }
    })
  }
}

/** Where the other side of a connection is seen. */
function addressOf(connection: Connection, endpoint: ConnectionEnd): string {
  return connection.addressOf(connection.other(endpoint))
}

/** Asks the relay at the other side of a connection, and waits for its word in time. */
async function asked<T>(
  from: SimulatedEndpoint,
  connection: Connection,
  ask: (grant: (value: T) => void, refuse: (why: string) => void) => void,
): Promise<T> {
  const relay = connection.other(from).id
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const refuse = (why: string): void => reject(refused(relay, why))
  const forget = connection.onClose(from, () => refuse('the connection to it was lost'))
  const cancel = from.process.clock.after(TIMEOUT_MS, () => refuse(`no answer within ${TIMEOUT_MS} ms`))
  connection.send(from, MESSAGE, () => ask(resolve, refuse))
  try {
    return await promise
  } finally {
    forget()
    cancel()
  }
}

function refused(relay: DidKey, why: string): WeftError {
  return new WeftError({
    code: 'E_RELAY_REFUSED',
    cause: `${shortId(relay)} does not relay for this node: ${why}.`,
    fix: 'Nothing to do: the node asks another relay.',
    retryable: true,
    details: { relay },
  })
}
