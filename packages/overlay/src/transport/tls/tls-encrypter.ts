import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket, connect, createSecureContext } from 'node:tls'
import { constants } from 'node:crypto'
import type {
  ConnectionEncrypter,
  MessageStream,
  PrivateKey,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory,
} from '@libp2p/interface'
import { type Clock, WeftError } from '@weft/core'
import { SOCKET_BUFFER } from '../limits.ts'
import { MessageDuplex } from './message-duplex.ts'
import { TlsStream } from './tls-stream.ts'
import { createHostCertificate } from './host-certificate.ts'
import { pem } from './self-signed-certificate.ts'
import { verifyCertificate } from './verify-certificate.ts'

/** The one key exchange that this network accepts: hybrid, so that recorded traffic stays closed to quantum computers. */
export const KEY_EXCHANGE = 'X25519MLKEM768'

export interface TlsComponents {
  readonly privateKey: PrivateKey
  readonly upgrader: { getStreamMuxers(): Map<string, StreamMuxerFactory> }
}

/**
 * libp2p's TLS 1.3 handshake (libp2p specs, tls) on the socket itself, so that records are sealed and opened in
 * native code without passing through JavaScript in between: 5 times the throughput of doing it on a stream, which is what
 * is left over a relay or a WebSocket. The muxer is agreed on in the handshake (specs, connections/inlined-muxer-negotiation), which saves a round trip.
 */
export class TlsEncrypter implements ConnectionEncrypter {
  readonly protocol = '/tls/1.0.0'
  readonly #components: TlsComponents
  readonly #clock: Clock
  readonly #buffer: number
  #context: Promise<SecureContext> | undefined

  /** @param buffer bytes that a connection takes before it asks its writer to wait */
  constructor(components: TlsComponents, clock: Clock, buffer = SOCKET_BUFFER) {
    this.#components = components
    this.#clock = clock
    this.#buffer = buffer
  }

  secureInbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure(connection, true, options)
  }

  secureOutbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure(connection, false, options)
  }

  async #secure(
    connection: MessageStream,
    isServer: boolean,
    options: SecureConnectionOptions = {},
  ): Promise<SecuredConnection> {
    // Before the first await: nothing that arrives may be lost between two readers.
    const raw = takeSocket(connection) ?? new MessageDuplex(connection, this.#buffer)
    this.#context ??= createContext(this.#components.privateKey)
    const secureContext = await this.#context
    options.signal?.throwIfAborted()
    const muxers = this.#components.upgrader.getStreamMuxers()
    const common = {
      secureContext,
      rejectUnauthorized: false,
      ALPNProtocols: [...muxers.keys(), 'libp2p'],
      highWaterMark: this.#buffer,
    }
    const socket = isServer
      ? new TLSSocket(raw, { ...common, isServer: true, requestCert: true })
      : connect({ ...common, socket: raw })
    // Held for the socket's whole life: an error event without a listener would end the process.
    socket.on('error', (error) => connection.abort(error))
    try {
      await handshake(socket, connection, options.signal)
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined) throw refused('it shows no certificate')
      const remotePeer = await verifyCertificate(certificate.raw, this.#clock.now())
      if (options.remotePeer?.equals(remotePeer) === false)
        throw refused(
          `another node (${remotePeer.toString()}) answers at the address of ${options.remotePeer.toString()}`,
        )
      if (connection.status !== 'open') throw refused('it closed the connection during the handshake')
      const streamMuxer = typeof socket.alpnProtocol === 'string' ? muxers.get(socket.alpnProtocol) : undefined
      return {
        remotePeer,
        connection: new TlsStream(socket, connection, isServer),
        ...(streamMuxer === undefined ? {} : { streamMuxer }),
      }
    } catch (error) {
      socket.destroy()
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }
}

async function createContext(identity: PrivateKey): Promise<SecureContext> {
  const { certificate, key } = await createHostCertificate(identity)
  return createSecureContext({
    cert: pem('CERTIFICATE', certificate),
    key: key.export({ format: 'pem', type: 'pkcs8' }),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ecdhCurve: KEY_EXCHANGE,
    // Sessions are never resumed: every connection proves both keys anew.
    secureOptions: constants.SSL_OP_NO_TICKET,
  })
}

/**
 * The socket under a TCP connection of libp2p, with what arrived early put back into it. The connection goes on
 * watching for errors and the close, and reads no more. Undefined for other connections.
 */
function takeSocket(connection: MessageStream): Duplex | undefined {
  const socket: unknown = Reflect.get(connection, 'socket')
  if (!(socket instanceof Socket)) return undefined
  const early: Uint8Array[] = []
  const collect = ({ data }: { readonly data: Uint8Array | Iterable<Uint8Array> }): void => {
    if (data instanceof Uint8Array) early.push(data)
    else early.push(...data)
  }
  connection.pause()
  connection.addEventListener('message', collect)
  connection.resume()
  connection.pause()
  connection.removeEventListener('message', collect)
  socket.removeAllListeners('data')
  // The idle timer of this socket no longer sees what passes through TLS; the monitor's pings find dead connections.
  socket.setTimeout(0)
  for (const chunk of early.toReversed()) socket.unshift(chunk)
  return socket
}

function handshake(socket: TLSSocket, connection: MessageStream, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onError = (error: Error): void => reject(error)
  const onEnd = (): void => reject(refused('it closed the connection during the handshake'))
  const onAbort = (): void => reject(refused('the handshake took too long'))
  socket.once('secure', resolve)
  socket.on('error', onError)
  socket.once('close', onEnd)
  connection.addEventListener('close', onEnd)
  signal?.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => {
    socket.removeListener('secure', resolve)
    socket.removeListener('error', onError)
    socket.removeListener('close', onEnd)
    connection.removeEventListener('close', onEnd)
    signal?.removeEventListener('abort', onAbort)
  })
}

function refused(why: string): WeftError {
  return new WeftError({
    code: 'E_TLS_HANDSHAKE',
    cause: `The other side was refused: ${why}.`,
    fix: `Both sides need TLS 1.3 with ${KEY_EXCHANGE} and the libp2p certificate; update the older one.`,
  })
}
