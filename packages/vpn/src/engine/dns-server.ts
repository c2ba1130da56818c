import { type RemoteInfo, type Socket as Datagrams, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Server, type Socket, createServer, isIPv6 } from 'node:net'
import { type Clock, WeftError, isWeftError } from '@weft/core'
import { cutTo } from '../dns/dns-answer.ts'
import { udpLimit } from '../dns/dns-query.ts'
import { MessageFramer, framed } from '../dns/message-framer.ts'
import { literalLookup } from '../exit/literal-lookup.ts'
import type { DnsAnswers } from './dns-answers.ts'

/** Questions by UDP that wait for an answer; connections, questions of one of them, and bytes of a question. */
const MAX_WAITING = 512
const MAX_CONNECTIONS = 64
const MAX_WAITING_OF_CONNECTION = 32
const MAX_QUERY_BYTES = 4_096
/** ms without a question after which a connection is closed (RFC 7766, section 6.2.3: a few seconds). */
const IDLE_MS = 10_000
/** Ports that are tried where any will do. */
const ANY_PORT_TRIES = 16

/** Names for the programs of this machine: DNS by UDP and TCP on one port of loopback. */
export class DnsServer {
  readonly #answers: DnsAnswers
  readonly #clock: Clock
  readonly #tcp: Server
  readonly #connections = new Set<Socket>()
  #udp: Datagrams | undefined
  #waiting = 0

  constructor(answers: DnsAnswers, clock: Clock) {
    this.#answers = answers
    this.#clock = clock
    this.#tcp = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#onConnection(socket))
    this.#tcp.maxConnections = MAX_CONNECTIONS
  }

  /** @returns the port. @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED; `details` has the port and the protocol */
  async listen(host: string, port: number): Promise<number> {
    for (let tries = 1; ; tries++)
      try {
        return await this.#listen(host, port)
      } catch (error) {
        // A port that is free for TCP may not be for UDP: where any will do there are others.
        if (port !== 0 || tries === ANY_PORT_TRIES || !isWeftError(error, 'E_PORT_TAKEN')) throw error
      }
  }

  async #listen(host: string, port: number): Promise<number> {
    let protocol = 'tcp'
    try {
      this.#tcp.listen({ host, port })
      await once(this.#tcp, 'listening')
      const address = this.#tcp.address()
      const own = typeof address === 'object' && address !== null ? address.port : port
      protocol = 'udp'
      const udp = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', lookup: literalLookup })
      this.#udp = udp
      const listening = once(udp, 'listening')
      udp.bind({ address: host, port: own, exclusive: true })
      await listening
      udp.on('error', () => {})
      udp.on('message', (message, from) => void this.#onDatagram(udp, message, from))
      return own
    } catch (error) {
      await this.close()
      throw listenFault(error, host, port, protocol)
    }
  }

  async close(): Promise<void> {
    this.#udp?.close()
    this.#udp = undefined
    const closed = this.#tcp.listening ? once(this.#tcp, 'close') : undefined
    this.#tcp.close()
    for (const socket of this.#connections) socket.destroy()
    await closed
  }

  async #onDatagram(udp: Datagrams, message: Buffer, { address, port }: RemoteInfo): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting++
    const answer = await this.#answers.answer(message)
    this.#waiting--
    if (answer === undefined || this.#udp !== udp) return
    const { bytes, query } = answer
    udp.send(query === undefined ? bytes : cutTo(query, bytes, udpLimit(query)), port, address)
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket)
    let waiting = 0
    let hasEnded = false
    let cancel = (): void => {}
    const rest = (): void => {
      cancel()
      cancel = this.#clock.after(IDLE_MS, () => socket.destroy())
    }
    const settle = (): void => {
      if (hasEnded && waiting === 0) socket.end()
      if (waiting < MAX_WAITING_OF_CONNECTION && !socket.writableNeedDrain) socket.resume()
    }
    const framer = new MessageFramer(MAX_QUERY_BYTES, (message) => {
      // What came with the others in one piece although no more are taken: its program asks again.
      if (waiting >= 2 * MAX_WAITING_OF_CONNECTION) return
      waiting++
      if (waiting >= MAX_WAITING_OF_CONNECTION) socket.pause()
      rest()
      void this.#answers.answer(message).then((answer) => {
        waiting--
        if (answer !== undefined && socket.writable) socket.write(framed(answer.bytes))
        if (socket.writableNeedDrain) socket.pause()
        settle()
      })
    })
    rest()
    socket.on('data', (bytes: Buffer) => {
      if (!framer.push(bytes)) socket.destroy()
    })
    socket.on('drain', settle)
    socket.on('end', () => {
      hasEnded = true
      settle()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      cancel()
      this.#connections.delete(socket)
    })
  }
}

function listenFault(error: unknown, host: string, port: number, protocol: string): WeftError {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  const details = { port, protocol }
  return taken
    ? new WeftError({
        code: 'E_PORT_TAKEN',
        cause: `Names cannot be answered on ${host}:${port} (${protocol}): another program listens there.`,
        fix: 'End that program, choose other ports with --base-port, or set vpn.dns to off.',
        details,
      })
    : new WeftError({
        code: 'E_LISTEN_FAILED',
        cause: `Names cannot be answered on ${host}:${port} (${protocol}).`,
        fix: 'Choose another port with --base-port, or set vpn.dns to off.',
        details,
        origin: error,
      })
}
