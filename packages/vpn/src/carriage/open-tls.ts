import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TLSSocket, connect as connectTls } from 'node:tls'
import { abortError, throwIfAborted } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import { clientTls } from './tls-options.ts'

/** Opens a stream of bytes to a TCP port by way of somebody else. @throws WeftError */
export type OpenThrough = (
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
) => Promise<Duplex>

const TLS = clientTls()

/** TLS to a node, over TCP or by way of somebody else. @throws what kept it from being made; nothing is left open then */
export async function openTls(
  { address: host, port }: Endpoint,
  through: OpenThrough | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  throwIfAborted(signal)
  const socket =
    through === undefined ? connectTcp({ host, port, noDelay: true }) : await through({ host, port }, signal)
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const tls = connectTls({ ...TLS, socket })
  const onAbort = (): void => void socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  // Errors are followed by the close, which is enough.
  socket.on('error', () => {})
  tls.on('error', () => socket.destroy())
  socket.once('close', () => {
    tls.destroy()
    reject(signal.aborted ? abortError(signal) : new Error('the connection closed before TLS was agreed on'))
  })
  tls.once('secureConnect', () => resolve(tls))
  if (signal.aborted) onAbort()
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}
