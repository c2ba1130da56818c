import {
  type CircuitRelayTransportComponents,
  RELAY_V2_STOP_CODEC,
  circuitRelayTransport,
} from '@libp2p/circuit-relay-v2'
import type { PeerId, Transport, TypedEventTarget } from '@libp2p/interface'
import type { InboundGate } from '../inbound-gate.ts'
import { MAX_RELAYED_PER_TARGET, NEGOTIATION_TIMEOUT_MS } from '../limits.ts'

/** The part of libp2p's transport that holds reservations. */
interface ReservationStore extends TypedEventTarget<{
  'relay:removed': CustomEvent<{ readonly relay: PeerId }>
}> {
  addRelay(relay: PeerId, type: 'configured'): Promise<unknown>
  hasReservation(relay: PeerId): boolean
}

type Registrar = CircuitRelayTransportComponents['registrar']

/**
 * This node's end of circuit relay v2: dials over relays, and is dialled over those where it has a reservation. libp2p
 * lets any peer pass for the relay of an incoming connection, and makes a reservation with it and announces it for that;
 * here a relay is one that this node chose.
 */
export class RelayClient {
  readonly #gate: InboundGate
  #store: ReservationStore | undefined

  constructor(gate: InboundGate) {
    this.#gate = gate
  }

  /** The transport for libp2p's list of them. */
  readonly transport = (components: CircuitRelayTransportComponents): Transport => {
    const transport = circuitRelayTransport({
      maxInboundStopStreams: MAX_RELAYED_PER_TARGET,
      reservationCompletionTimeout: NEGOTIATION_TIMEOUT_MS,
    })(
      Object.create(components, {
        registrar: { value: this.#ownRelaysOnly(components.registrar) },
        // A caller over a relay takes its place at the door like any other, in the name of the relay's address.
        upgrader: { value: this.#gate.guard(components.upgrader) },
      }) as CircuitRelayTransportComponents,
    )
    this.#store = Reflect.get(transport, 'reservationStore') as ReservationStore
    return transport
  }

  /** Asks a relay, to which there is a direct connection, for a place; renewed by itself while that connection lasts. */
  async reserve(relay: PeerId): Promise<void> {
    await this.#store?.addRelay(relay, 'configured')
  }

  has(relay: PeerId): boolean {
    return this.#store?.hasReservation(relay) === true
  }

  /** Calls back when a place at a relay is lost. */
  onLost(listener: (relay: PeerId) => void): void {
    this.#store?.addEventListener('relay:removed', ({ detail }) => listener(detail.relay))
  }

  #ownRelaysOnly(registrar: Registrar): Registrar {
    const handle: Registrar['handle'] = (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          if (protocol !== RELAY_V2_STOP_CODEC || this.has(connection.remotePeer)) return handler(stream, connection)
          stream.abort(new Error('this node has no place at that relay'))
        },
        options,
      )
    return Object.create(registrar, { handle: { value: handle } }) as Registrar
  }
}
