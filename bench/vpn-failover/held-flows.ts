import { type Socket as Datagrams, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { SocksAssociation, datagramFrom, datagramTo } from '../vpn/socks-associate.ts'
import { socksConnect } from '../vpn/socks-connect.ts'

export const FLOWS = ['download', 'echo', 'call'] as const
export type FlowName = (typeof FLOWS)[number]

/** ms between keys that are typed, and between the packets of a call. */
const TICK_MS = 20
const CHUNK = Buffer.alloc(64 * 1024)
/** A download is read at this pace, bytes in a tick: it is to be under way, not to take the machine. */
const PACE = 100_000
const VOICE_BYTES = 160
const DOWNLOAD = 'd'

/** What is at the other end: a download without an end, an echo of keys, and one of datagrams. */
export class FlowTargets implements Disposable {
  readonly #server: Server
  readonly #datagrams: Datagrams
  readonly tcp: number
  readonly udp: number

  private constructor(server: Server, datagrams: Datagrams) {
    this.#server = server
    this.#datagrams = datagrams
    this.tcp = (server.address() as AddressInfo).port
    this.udp = datagrams.address().port
  }

  static async listen(): Promise<FlowTargets> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      socket.once('data', (first: Buffer) => {
        if (first.toString('latin1', 0, 1) === DOWNLOAD) pour(socket)
        else socket.pipe(socket)
      })
    }).listen(0, '127.0.0.1')
    const datagrams = createSocket('udp4').bind(0, '127.0.0.1')
    datagrams.on('message', (bytes, { port, address }) => datagrams.send(bytes, port, address))
    await Promise.all([once(server, 'listening'), once(datagrams, 'listening')])
    return new FlowTargets(server, datagrams)
  }

  [Symbol.dispose](): void {
    this.#server.close()
    this.#datagrams.close()
  }
}

/** Bytes that count up, so that one too many or too few shows. */
function pour(socket: Socket): void {
  let sent = 0
  const more = (): void => {
    for (;;) {
      const chunk = Buffer.from(CHUNK)
      for (let at = 0; at < chunk.length; at += 4) chunk.writeUInt32BE(((sent + at) / 4) >>> 0, at)
      sent += chunk.length
      if (!socket.write(chunk)) return
    }
  }
  socket.on('drain', more)
  more()
}

/** A download, keys that are echoed, and a call, all over one proxy; and when something of each came. */
export class HeldFlows implements Disposable {
  readonly #sockets: Socket[]
  readonly #call: SocksAssociation
  readonly #timer: NodeJS.Timeout
  readonly #cameAt: Record<FlowName, number>
  readonly #longest: Record<FlowName, number> = { download: 0, echo: 0, call: 0 }
  /** What went wrong: a connection that ended, or bytes that are not those which were sent. */
  readonly faults: string[] = []
  readonly received: Record<FlowName, number> = { download: 0, echo: 0, call: 0 }

  private constructor(download: Socket, echo: Socket, call: SocksAssociation, udpPort: number) {
    const now = performance.now()
    this.#cameAt = { download: now, echo: now, call: now }
    this.#sockets = [download, echo]
    this.#call = call
    for (const [name, socket] of [
      ['download', download],
      ['echo', echo],
    ] as const) {
      socket.on('error', (error) => this.faults.push(`${name}: ${error.message}`))
      socket.on('close', () => this.faults.push(`${name} ended`))
    }
    call.connection.on('close', () => this.faults.push('call ended'))
    echo.on('data', ({ length }: Buffer) => this.#came('echo', length))
    call.socket.on('message', (bytes) => this.#came('call', datagramFrom(bytes).bytes.length))
    download.write(DOWNLOAD)
    const voice = datagramTo(udpPort, Buffer.alloc(VOICE_BYTES))
    download.pause()
    this.#timer = setInterval(() => {
      echo.write('k')
      call.send(voice)
      this.#read(download)
    }, TICK_MS)
  }

  static async open(proxy: number, targets: FlowTargets): Promise<HeldFlows> {
    const download = await socksConnect(proxy, targets.tcp)
    const echo = await socksConnect(proxy, targets.tcp)
    return new HeldFlows(download, echo, await SocksAssociation.open(proxy), targets.udp)
  }

  #read(download: Socket): void {
    const bytes = download.read(Math.min(PACE, download.readableLength)) as Buffer | null
    if (bytes === null || bytes.length === 0) return
    for (let at = 0; at < bytes.length; at++) {
      const place = this.received.download + at
      const wanted = (Math.floor(place / 4) >>> (8 * (3 - (place % 4)))) & 255
      if (bytes[at] === wanted) continue
      this.faults.push(`download: byte ${place} is another`)
      break
    }
    this.#came('download', bytes.length)
  }

  #came(name: FlowName, bytes: number): void {
    const now = performance.now()
    this.#longest[name] = Math.max(this.#longest[name], now - this.#cameAt[name])
    this.#cameAt[name] = now
    this.received[name] += bytes
  }

  /** The longest for which nothing of each came since the last call, ms; what goes on now counts. */
  takeStalls(): Readonly<Record<FlowName, number>> {
    const now = performance.now()
    const stall = (name: FlowName): number => Math.max(this.#longest[name], now - this.#cameAt[name])
    const stalls = { download: stall('download'), echo: stall('echo'), call: stall('call') }
    for (const name of FLOWS) this.#longest[name] = 0
    return stalls
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    for (const socket of this.#sockets)
      socket
        .removeAllListeners('close')
        .on('error', () => {})
        .destroy()
    this.#call.connection.removeAllListeners('close')
    this.#call[Symbol.dispose]()
  }
}
