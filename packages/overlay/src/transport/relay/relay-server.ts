import {
  type CircuitRelayServerComponents,
  type CircuitRelayService,
  RELAY_V2_HOP_CODEC,
  circuitRelayServer,
} from '@libp2p/circuit-relay-v2'
import type { StreamHandler } from '@libp2p/interface'
import {
  MAX_HOP_STREAMS,
  MAX_RELAYED_PER_TARGET,
  MAX_RELAY_MESSAGE,
  MAX_RESERVATIONS,
  NEGOTIATION_TIMEOUT_MS,
  RELAYED_BYTES,
  RELAYED_MS,
  RESERVATION_MS,
} from '../limits.ts'

type Registrar = CircuitRelayServerComponents['registrar']

/** libp2p's circuit relay v2 with our limits as a service of a host (libp2p specs, relay/circuit-v2). */
export function relayServer(): (components: CircuitRelayServerComponents) => CircuitRelayService {
  const create = circuitRelayServer({
    hopTimeout: NEGOTIATION_TIMEOUT_MS,
    maxInboundHopStreams: MAX_HOP_STREAMS,
    maxOutboundStopStreams: MAX_RELAYED_PER_TARGET,
    reservations: {
      maxReservations: MAX_RESERVATIONS,
      reservationTtl: RESERVATION_MS,
      defaultDurationLimit: RELAYED_MS,
      defaultDataLimit: BigInt(RELAYED_BYTES),
    },
  })
  return (components) => {
    const registrar = { value: bounded(components.registrar) }
    return create(Object.create(components, { registrar }) as CircuitRelayServerComponents)
  }
}

/** libp2p reads a request of any length: until it is answered, a caller has a few KiB to say what it wants. */
function bounded(registrar: Registrar): Registrar {
  const handle: Registrar['handle'] = (protocol, handler, options) =>
    registrar.handle(protocol, protocol === RELAY_V2_HOP_CODEC ? boundedHandler(handler) : handler, options)
  return Object.create(registrar, { handle: { value: handle } }) as Registrar
}

function boundedHandler(handler: StreamHandler): StreamHandler {
  return async (stream, connection) => {
    let left = MAX_RELAY_MESSAGE
    const onMessage = ({ data }: { readonly data: { readonly byteLength: number } }): void => {
      left -= data.byteLength
      if (left < 0) stream.abort(new Error('a request to a relay is too long'))
    }
    stream.addEventListener('message', onMessage)
    try {
      await handler(stream, connection)
    } finally {
      stream.removeEventListener('message', onMessage)
    }
  }
}
