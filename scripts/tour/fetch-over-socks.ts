import { once } from 'node:events'
import { request } from 'node:http'
import { connect, isIPv4, type Socket } from 'node:net'
import { WeftError } from '@weft/core'

const HOST = '127.0.0.1'
/** CONNECT to an IPv4 address, or to a name (RFC 1928, section 4). */
const REQUEST_IPV4 = [5, 1, 0, 1]
const REQUEST_NAME = [5, 1, 0, 3]
/** Of an answer with an IPv4 address, which is what the proxy gives (section 6). */
const ANSWER_LENGTH = 10

/** GET of an http URL through a SOCKS5 proxy on loopback, for where there is no curl. @throws WeftError E_TOUR_FETCH */
export async function fetchOverSocks(proxyPort: number, url: string, signal: AbortSignal): Promise<string> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect({ host: HOST, port: proxyPort, signal })
  // Whoever waits for the socket hears of it; nobody may be waiting.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
    socket.write(Uint8Array.of(5, 1, 0))
    await answer(socket, 2)
    const host = isIPv4(hostname)
      ? [...REQUEST_IPV4, ...hostname.split('.').map(Number)]
      : [...REQUEST_NAME, hostname.length, ...Buffer.from(hostname)]
    const target = Number(port === '' ? 80 : port)
    socket.write(Uint8Array.of(...host, target >> 8, target & 255))
    await answer(socket, ANSWER_LENGTH)
    const asked = request({
      createConnection: () => socket,
      host: hostname,
      port: target,
      path: pathname,
      signal,
    }).end()
    const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { readonly statusCode?: number }]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    if (response.statusCode !== 200) throw fetchError(`the server answered ${String(response.statusCode)}`)
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    if (signal.aborted || error instanceof WeftError) throw error
    throw fetchError(String(error))
  } finally {
    socket.destroy()
  }
}

/** The proxy's next `length` bytes; it sends no more before it is asked. Its second byte is 0 for yes. */
async function answer(socket: Socket, length: number): Promise<void> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null
    if (bytes?.[1] === 0) return
    if (bytes !== null) throw fetchError(`the proxy answered ${bytes[1]} (RFC 1928, section 6)`)
    if (socket.readableEnded || socket.destroyed) throw fetchError('the proxy ended the connection')
    await Promise.race([once(socket, 'readable'), once(socket, 'end')])
  }
}

/** That a page could not be had over the proxy, and why. */
export function fetchError(why: string): WeftError {
  return new WeftError({
    code: 'E_TOUR_FETCH',
    cause: `The page did not come over the proxy: ${why}.`,
    fix: 'See what the proxy says of it: weft vpn status',
  })
}
