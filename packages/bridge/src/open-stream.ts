import { type ClientRequest, request } from 'node:http'
import { createConnection } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TLSSocket, connect as connectTls } from 'node:tls'
import { WeftError, messageOf, orAborted, throwIfAborted } from '@weft/core'
import { equalConstantTime } from '@weft/crypto'
import type { Bridge } from './bridge-line.ts'
import { type Endpoint, formatEndpoint } from './endpoint.ts'
import { MAX_ANSWER_HEAD } from './limits.ts'
import { bindingOf, makePass } from './pass.ts'
import { pinOf } from './pin.ts'
import { ANSWER } from './stream-answers.ts'

/**
 * A stream of bytes to one address of a member, over a TLS connection of its own to the bridge. No name is looked up.
 * @throws WeftError E_BRIDGE_UNREACHABLE, E_BRIDGE_PIN, E_BRIDGE_REFUSED, E_BRIDGE_TARGET, E_BRIDGE_BUSY, E_BRIDGE_MEMBER, E_ABORTED
 */
export async function openStream(bridge: Bridge, target: Endpoint, signal: AbortSignal): Promise<Duplex> {
  throwIfAborted(signal)
  const socket = callBridge(bridge)
  const onAbort = (): void => void socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await orAborted(secured(socket, bridge), signal)
    const path = `/${makePass(bridge, bindingOf(socket), target)}`
    return await orAborted(upgraded(ask(socket, bridge, path), bridge, target), signal)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function callBridge({ endpoint, serverName }: Bridge): TLSSocket {
  const tcp = createConnection({ ...endpoint, noDelay: true })
  const socket = connectTls({
    socket: tcp,
    minVersion: 'TLSv1.3',
    // Hybrid first, as browsers offer it.
    ecdhCurve: 'X25519MLKEM768:X25519:P-256',
    ALPNProtocols: ['h2', 'http/1.1'],
    // The pin says who it is, and no authority has to.
    rejectUnauthorized: false,
    ...(serverName === '' ? {} : { servername: serverName }),
  })
  tcp.on('error', (error) => socket.destroy(error))
  return socket
}

function secured(socket: TLSSocket, bridge: Bridge): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // It stays: an error behind the handshake is followed by a close, which is enough.
  socket.on('error', (error) => reject(unreachable(bridge, messageOf(error))))
  socket.once('close', () => reject(unreachable(bridge, 'it closed the connection before TLS was agreed on')))
  socket.once('secureConnect', () => {
    // Before a byte of what only the bridge may know is said.
    const certificate = socket.getPeerX509Certificate()?.raw
    if (certificate !== undefined && equalConstantTime(pinOf(certificate), bridge.pin)) resolve()
    else reject(otherKey(bridge))
  })
  return promise
}

function ask(socket: TLSSocket, { endpoint, serverName }: Bridge, path: string): ClientRequest {
  const host = serverName === '' ? formatEndpoint(endpoint) : serverName
  return request({
    createConnection: () => socket,
    setDefaultHeaders: false,
    headers: { Host: host, Connection: 'Upgrade', Upgrade: 'websocket' },
    path,
    maxHeaderSize: MAX_ANSWER_HEAD,
  }).end()
}

function upgraded(asked: ClientRequest, bridge: Bridge, target: Endpoint): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
  asked.once('upgrade', (_, socket: Duplex, head: Uint8Array) => {
    if (head.length > 0) socket.unshift(head)
    resolve(socket)
  })
  asked.once('response', ({ statusCode = 0 }) => reject(refusedBy(bridge, statusCode, target)))
  asked.on('error', (error) => reject(unreachable(bridge, messageOf(error))))
  return promise
}

function refusedBy(bridge: Bridge, status: number, target: Endpoint): WeftError {
  if (status === ANSWER.noMember)
    return new WeftError({
      code: 'E_BRIDGE_TARGET',
      cause: `The bridge leads to members of its network only, and knows none at ${formatEndpoint(target)}.`,
      fix: 'Nothing to do when a member has just come or moved: the bridge learns it with the next map. Otherwise the bridge is of another network.',
      retryable: true,
    })
  if (status === ANSWER.tooMany)
    return new WeftError({
      code: 'E_BRIDGE_BUSY',
      cause: 'The invitation to the bridge has as many streams as it may.',
      fix: 'Use an invitation for one client only: ask for one of your own (weft bridge invite, at the bridge).',
      retryable: true,
    })
  if (status === ANSWER.unreachable)
    return new WeftError({
      code: 'E_BRIDGE_MEMBER',
      cause: `The bridge did not reach the member at ${formatEndpoint(target)}.`,
      fix: 'Nothing to do: another member is called.',
      retryable: true,
    })
  return new WeftError({
    code: 'E_BRIDGE_REFUSED',
    cause: `The bridge ${nameOf(bridge)} answers as it does to strangers: the invitation was revoked, or is not one of this bridge.`,
    fix: 'Ask for a new line (weft bridge invite, at the bridge), take this one out (weft bridge remove) and add that one.',
  })
}

function otherKey(bridge: Bridge): WeftError {
  return new WeftError({
    code: 'E_BRIDGE_PIN',
    cause: `Who answers at the address of the bridge ${nameOf(bridge)} has another key than the bridge: somebody stands in between, or the bridge was set up anew.`,
    fix: 'Ask for a new line over a way that you trust; until then nothing is said there.',
  })
}

function unreachable(bridge: Bridge, why: string): WeftError {
  return new WeftError({
    code: 'E_BRIDGE_UNREACHABLE',
    cause: `The bridge ${nameOf(bridge)} cannot be reached: ${why}.`,
    fix: 'Nothing to do when it is down for a moment. If it stays so, the bridge may be blocked: ask for another one.',
    retryable: true,
  })
}

/** What people know it by. */
export function nameOf({ endpoint }: Pick<Bridge, 'endpoint'>): string {
  return formatEndpoint(endpoint)
}
