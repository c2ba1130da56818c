import { type Socket as Datagrams, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'

const VERSION = 5
const NO_AUTHENTICATION = 0
const USER_AND_PASSWORD = 2
const UDP_ASSOCIATE = 3

/** The header of RFC 1928, section 7, for a port of 127.0.0.1 or of another IPv4 address. */
export function datagramTo(port: number, bytes: Uint8Array, host = '127.0.0.1'): Buffer {
  return Buffer.concat([Uint8Array.of(0, 0, 0, 1, ...host.split('.').map(Number), port >> 8, port & 255), bytes])
}

/** The same for a name. */
export function datagramToName(name: string, port: number, bytes: Uint8Array): Buffer {
  const head = Uint8Array.of(0, 0, 0, 3, name.length, ...Buffer.from(name), port >> 8, port & 255)
  return Buffer.concat([head, bytes])
}

/** What came, and from which port of an IPv4 address. */
export function datagramFrom(bytes: Buffer): {
  readonly port: number
  readonly address: string
  readonly bytes: Buffer
} {
  return { address: bytes.subarray(4, 8).join('.'), port: bytes.readUInt16BE(8), bytes: bytes.subarray(10) }
}

/** A UDP association with a SOCKS5 proxy of 127.0.0.1 (RFC 1928); the socket sends to `relay`. */
export class SocksAssociation implements Disposable {
  readonly connection: Socket
  readonly socket: Datagrams
  readonly relay: number

  private constructor(connection: Socket, socket: Datagrams, relay: number) {
    this.connection = connection
    this.socket = socket
    this.relay = relay
  }

  /** @throws Error with the reply that refused it */
  static async open(proxy: number, user?: string): Promise<SocksAssociation> {
    const connection = connect({ host: '127.0.0.1', port: proxy, noDelay: true })
    await once(connection, 'connect')
    connection.write(Uint8Array.of(VERSION, 1, user === undefined ? NO_AUTHENTICATION : USER_AND_PASSWORD))
    await take(connection, 2)
    if (user !== undefined) {
      const name = Buffer.from(user)
      connection.write(Uint8Array.of(1, name.length, ...name, name.length, ...name))
      await take(connection, 2)
    }
    connection.write(Uint8Array.of(VERSION, UDP_ASSOCIATE, 0, 1, 0, 0, 0, 0, 0, 0))
    const reply = await take(connection, 10)
    connection.on('error', () => {})
    if (reply[1] !== 0) {
      connection.destroy()
      throw new Error(`the proxy on port ${proxy} refused with ${reply[1]}`)
    }
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 }).bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new SocksAssociation(connection, socket, reply.readUInt16BE(8))
  }

  send(datagram: Uint8Array): void {
    this.socket.send(datagram, this.relay, '127.0.0.1')
  }

  [Symbol.dispose](): void {
    this.connection.destroy()
    this.socket.close()
  }
}

/** Reads exactly `count` bytes. @throws Error when the connection ends before */
async function take(connection: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = connection.read(count) as Buffer | null
    if (bytes !== null && bytes.length === count) return bytes
    if (bytes !== null || connection.readableEnded) throw new Error('the proxy ended the connection')
    await Promise.race([once(connection, 'readable'), once(connection, 'end')])
  }
}
