import { type Socket, connect } from 'node:net'
import { once } from 'node:events'

const VERSION = 5
const NO_AUTHENTICATION = 0
const USER_AND_PASSWORD = 2

/** Reads exactly `count` bytes; nothing else may come before an answer to them. @throws Error when the socket ends */
async function read(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null
    if (bytes !== null) {
      if (bytes.length < count) throw new Error('the proxy ended the connection')
      return bytes
    }
    if (socket.readableEnded) throw new Error('the proxy ended the connection')
    await Promise.race([once(socket, 'readable'), once(socket, 'end')])
  }
}

/**
 * A connection to a port of 127.0.0.1, or of another IPv4 address, through a SOCKS5 proxy (RFC 1928, 1929). The socket flows once it has a listener.
 * @throws Error with the reply that refused it
 */
export async function socksConnect(proxy: number, target: number, user?: string, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: proxy, noDelay: true })
  await once(socket, 'connect')
  socket.write(Buffer.from([VERSION, 1, user === undefined ? NO_AUTHENTICATION : USER_AND_PASSWORD]))
  await read(socket, 2)
  if (user !== undefined) {
    const name = Buffer.from(user)
    socket.write(Buffer.from([1, name.length, ...name, name.length, ...name]))
    await read(socket, 2)
  }
  socket.write(Buffer.from([VERSION, 1, 0, 1, ...host.split('.').map(Number), target >> 8, target & 255]))
  const answer = await read(socket, 10)
  if (answer[1] === 0) return socket
  socket.destroy()
  throw new Error(`the proxy on port ${proxy} refused with ${answer[1]}`)
}
