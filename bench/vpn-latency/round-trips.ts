import { type Socket as Datagrams, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { SocksAssociation, datagramTo } from '../vpn/socks-associate.ts'
import { socksConnect } from '../vpn/socks-connect.ts'

/** ms without an answer after which something is wrong: nothing is lost on these links. */
const LOST_MS = 10_000
const BYTE = Buffer.from([7])

export interface EchoTarget {
  /** Of a server of TCP and UDP that sends back what it hears. */
  readonly host: string
  readonly port: number
  /** Of a proxy on this machine that leads there; undefined goes straight. */
  readonly proxy: number | undefined
}

/** Times of a byte there and back over a connection that stands, ms: `count` one after the other, behind one that is not told. */
export async function byteRoundTrips({ host, port, proxy }: EchoTarget, count: number): Promise<number[]> {
  const socket = proxy === undefined ? await direct(host, port) : await socksConnect(proxy, port, undefined, host)
  try {
    return await inTurn(count, socket, 'data', () => socket.write(BYTE))
  } finally {
    socket.destroy()
  }
}

/** The same of datagrams of one byte. */
export async function datagramRoundTrips({ host, port, proxy }: EchoTarget, count: number): Promise<number[]> {
  if (proxy !== undefined) {
    using association = await SocksAssociation.open(proxy)
    const datagram = datagramTo(port, BYTE, host)
    return await inTurn(count, association.socket, 'message', () => association.send(datagram))
  }
  const socket = createSocket('udp4')
  try {
    return await inTurn(count, socket, 'message', () => socket.send(BYTE, port, host))
  } finally {
    socket.close()
  }
}

async function direct(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function inTurn(
  count: number,
  socket: Socket | Datagrams,
  event: 'data' | 'message',
  send: () => void,
): Promise<number[]> {
  const times: number[] = []
  for (let at = -1; at < count; at++) {
    const answered = once(socket, event, { signal: AbortSignal.timeout(LOST_MS) })
    const begun = performance.now()
    send()
    await answered
    if (at >= 0) times.push(performance.now() - begun)
  }
  return times
}
