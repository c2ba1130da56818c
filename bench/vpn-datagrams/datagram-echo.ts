import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { SocksAssociation, datagramTo } from '../vpn/socks-associate.ts'

const BUFFER = 4 << 20
/** ms without an answer after which a datagram counts as lost. */
const LOST_MS = 500

/** A UDP server, on loopback by default, that sends back what it hears. */
export class DatagramEcho implements Disposable {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address))
  }

  static async listen(host = '127.0.0.1', port = 0): Promise<DatagramEcho> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER, sendBufferSize: BUFFER }).bind(port, host)
    await once(socket, 'listening')
    return new DatagramEcho(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

/** How a program reaches the server: `head` bytes stand before what it sends and hears. */
interface Way extends Disposable {
  readonly socket: Socket
  readonly head: number
  send(content: Buffer): void
}

async function wayTo(target: number, proxy: number | undefined): Promise<Way> {
  if (proxy === undefined) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER, sendBufferSize: BUFFER }).bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return {
      socket,
      head: 0,
      send: (content) => socket.send(content, target, '127.0.0.1'),
      [Symbol.dispose]: () => void socket.close(),
    }
  }
  const association = await SocksAssociation.open(proxy)
  return {
    socket: association.socket,
    head: 10,
    send: (content) => association.send(datagramTo(target, content)),
    [Symbol.dispose]: () => association[Symbol.dispose](),
  }
}

export interface DatagramLoad {
  /** Bytes of a datagram, how many go there and back, and how many of them are under way at once. */
  readonly bytes: number
  readonly count: number
  readonly window: number
}

export interface DatagramFigures {
  /** There and back. */
  readonly perSecond: number
  readonly lost: number
  /** ms. */
  readonly p50: number
  readonly p99: number
}

/** Datagrams to the server and back, each sent when one before it came back, or was given up. */
export async function echoDatagrams(
  target: number,
  proxy: number | undefined,
  { bytes, count, window }: DatagramLoad,
): Promise<DatagramFigures> {
  using way = await wayTo(target, proxy)
  const sentAt = new Map<number, number>()
  const times: number[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let sent = 0
  let lost = 0
  const next = (): void => {
    if (sent === count) {
      if (sentAt.size === 0) resolve(undefined)
      return
    }
    const content = Buffer.alloc(bytes)
    content.writeUInt32BE(sent)
    sentAt.set(sent++, performance.now())
    way.send(content)
  }
  way.socket.on('message', (datagram: Buffer) => {
    const index = datagram.readUInt32BE(way.head)
    const at = sentAt.get(index)
    if (at === undefined) return
    sentAt.delete(index)
    times.push(performance.now() - at)
    next()
  })
  const watch = setInterval(() => {
    for (const [index, at] of sentAt) {
      if (performance.now() - at < LOST_MS) continue
      sentAt.delete(index)
      lost++
      next()
    }
  }, LOST_MS)
  const began = performance.now()
  for (let index = 0; index < window; index++) next()
  await promise
  clearInterval(watch)
  const seconds = (performance.now() - began) / 1_000
  times.sort((one, other) => one - other)
  const at = (part: number): number => times[Math.ceil(part * times.length) - 1] ?? Number.NaN
  return { perSecond: times.length / seconds, lost, p50: at(0.5), p99: at(0.99) }
}
