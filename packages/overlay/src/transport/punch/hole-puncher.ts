import { type DCUtRServiceComponents, dcutr } from '@libp2p/dcutr'
import type { Connection } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { isIPv4 } from 'node:net'
import { type Clock, wait } from '@weft/core'
import { dialFirst } from './dial-first.ts'
import { MAX_PUNCH_TARGETS, PUNCH_AGAIN_MS, PUNCH_MS, PUNCH_PAUSE_MS, PUNCH_TRIES } from '../limits.ts'
import type { Observations } from '../observations.ts'

type Components = DCUtRServiceComponents

export interface HolePuncherInit {
  readonly observations: Observations
  readonly clock: Clock
}

/**
 * libp2p's direct connection upgrade through relay (libp2p specs, relay/DCUtR) as a service of a host, made to work for
 * TCP: it tells the address that the shared port has for the outside (PunchPort), not one that is listened on, and keeps
 * knocking until both sides' NATs have let their own call out. The relayed connection is left to `retireRelayed`.
 */
export function holePuncher({ observations, clock }: HolePuncherInit): (components: Components) => unknown {
  const create = dcutr({ timeout: PUNCH_MS, retries: PUNCH_TRIES })
  return (components) => {
    const { registrar, transportManager, peerId } = components as Components & {
      readonly peerId: { toString(): string }
    }
    const own = (): Multiaddr[] => {
      const endpoint = observations.endpoint()
      if (endpoint === undefined) return []
      const { host, port } = endpoint
      return [multiaddr(`/${isIPv4(host) ? 'ip4' : 'ip6'}/${host}/tcp/${port}/p2p/${peerId.toString()}`)]
    }
    // The transport takes what its manager does not name: who is the server where both have dialled.
    const dial = (address: Multiaddr, how: { readonly signal: AbortSignal; readonly initiator: boolean }) =>
      transportManager.dial(address, how)
    const openConnection = async (
      targets: readonly Multiaddr[],
      { signal, initiator = true }: { readonly signal: AbortSignal; readonly initiator?: boolean },
    ): Promise<Connection> => {
      const addresses = targets.slice(0, MAX_PUNCH_TARGETS)
      for (;;) {
        try {
          return await dialFirst(addresses, signal, (address, inTime) => dial(address, { signal: inTime, initiator }))
        } catch {
          signal.throwIfAborted()
          // A router that is not ready refuses at once; the time is short, and then it is.
          await wait(clock, PUNCH_PAUSE_MS, signal)
        }
      }
    }
    return create(
      Object.create(components, {
        registrar: { value: leavingOpen(registrar, (again, connection) => tryAgain(again, connection, clock)) },
        addressManager: { value: { getAddresses: own } },
        connectionManager: { value: { openConnection } },
      }) as Components,
    )
  }
}

/** Does it again, ever more rarely, until the relayed connection ends, as it does when a direct one came about. */
function tryAgain(again: () => void, connection: Connection, clock: Clock, times = 0): void {
  const ms = PUNCH_AGAIN_MS[Math.min(times, PUNCH_AGAIN_MS.length - 1)] as number
  const onClose = (): void => cancel()
  const cancel = clock.after(ms, () => {
    connection.removeEventListener('close', onClose)
    again()
    tryAgain(again, connection, clock, times + 1)
  })
  connection.addEventListener('close', onClose, { once: true })
}

/**
 * A registrar that shows connections whose `close` does nothing.
 * @param onRelayed told of each relayed connection that the other side began, and how to say again that it is there
 */
function leavingOpen(
  registrar: Components['registrar'],
  onRelayed: (again: () => void, connection: Connection) => void,
): Components['registrar'] {
  const open = (connection: Connection): Connection =>
    Object.create(connection, { close: { value: async () => {} } }) as Connection
  const handle: Components['registrar']['handle'] = (protocol, handler, options) =>
    registrar.handle(protocol, (stream, connection) => handler(stream, open(connection)), options)
  const register: Components['registrar']['register'] = (protocol, topology) =>
    registrar.register(protocol, {
      ...topology,
      onConnect: (peer, connection) => {
        const tell = (): void => void topology.onConnect?.(peer, open(connection))
        if (connection.limits !== undefined && connection.direction === 'inbound') onRelayed(tell, connection)
        tell()
      },
    })
  return Object.create(registrar, {
    handle: { value: handle },
    register: { value: register },
  }) as Components['registrar']
}
