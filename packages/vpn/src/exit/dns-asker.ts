import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import { connect, isIPv6 } from 'node:net'
import { type Clock, type Random, randomInt } from '@weft/core'
import { FLAG, MAX_MESSAGE_BYTES, RCODE } from '../dns/dns-codes.ts'
import { answers, u16 } from '../dns/dns-message.ts'
import { MessageFramer, framed } from '../dns/message-framer.ts'
import { literalLookup } from './literal-lookup.ts'
import { nameServersSilent, tooManyNames } from './name-faults.ts'

export interface DnsAskerInit {
  readonly clock: Clock
  readonly random: Random
  /** `ADDRESS` or `ADDRESS:PORT` of name servers; the system's by default. */
  readonly servers?: readonly string[]
}

interface Server {
  readonly address: string
  readonly port: number
}

const DNS_PORT = 53
/** ms for a whole question: before the client's patience ends (4.4 s). */
const WHOLE_MS = 3_500
/** ms for a server by UDP, and by TCP. */
const UDP_MS = 1_000
const TCP_MS = 2_000
/** Rounds over the servers. */
const ROUNDS = 2
/** Questions under way at once, each with a socket: as many as an exit looks up (MAX_LOOKUPS of last-hop.ts), which gives each session its share. */
const MAX_RUNNING = 512

/** Hands questions to this machine's name servers as they are, each from a port of its own with an id of its own (RFC 5452, section 9). */
export class DnsAsker {
  readonly #clock: Clock
  readonly #random: Random
  readonly #servers: readonly Server[]
  readonly #running = new Set<() => void>()

  constructor({ clock, random, servers = [] }: DnsAskerInit) {
    this.#clock = clock
    this.#random = random
    this.#servers = (servers.length > 0 ? servers : getServers()).map(serverOf)
  }

  /**
   * The first answer of a server that knows one, whole, with the id of `query`; else the last server's own failure.
   * @throws WeftError E_NAME_SERVER when none answered, E_NAME_LIMIT
   */
  async ask(query: Uint8Array): Promise<Uint8Array> {
    const deadline = this.#clock.monotonic() + WHOLE_MS
    const own = query.slice()
    let failed: Uint8Array | undefined
    for (let round = 0; round < ROUNDS; round++)
      for (const server of this.#servers) {
        const left = deadline - this.#clock.monotonic()
        if (left <= 0) break
        const id = randomInt(this.#random, 65_536)
        own.set([id >> 8, id & 0xff])
        const answer = await this.#askOne(own, server, left)
        if (answer === undefined) continue
        answer.set(query.subarray(0, 2))
        const rcode = u16(answer, 2) & FLAG.rcode
        if (rcode !== RCODE.serverFailure && rcode !== RCODE.refused) return answer
        failed = answer
      }
    if (failed !== undefined) return failed
    throw nameServersSilent('ETIMEOUT')
  }

  /** Gives up what is under way. */
  close(): void {
    for (const end of this.#running) end()
  }

  async #askOne(query: Uint8Array, server: Server, left: number): Promise<Uint8Array | undefined> {
    const answer = await this.#by((done) => udpExchange(query, server, done), Math.min(left, UDP_MS))
    if (answer === undefined || (u16(answer, 2) & FLAG.truncated) === 0) return answer
    // Half an answer is better than none (RFC 2181, section 9, has the program ask again by TCP, where it gets the same).
    return (await this.#by((done) => tcpExchange(query, server, done), Math.min(left, TCP_MS))) ?? answer
  }

  /** @param begin begins an exchange, which tells its answer later; returns what ends it */
  #by(begin: (done: (answer?: Uint8Array) => void) => () => void, ms: number): Promise<Uint8Array | undefined> {
    if (this.#running.size >= MAX_RUNNING) return Promise.reject(tooManyNames(MAX_RUNNING))
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
    const done = (answer?: Uint8Array): void => {
      if (!this.#running.delete(stop)) return
      cancel()
      end()
      resolve(answer)
    }
    const stop = (): void => done()
    const cancel = this.#clock.after(ms, stop)
    this.#running.add(stop)
    const end = begin(done)
    return promise
  }
}

function serverOf(text: string): Server {
  const [, bracketed, port] = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? []
  if (bracketed !== undefined) return { address: bracketed, port: Number(port ?? DNS_PORT) }
  if (isIPv6(text)) return { address: text, port: DNS_PORT }
  const [address = '', own] = text.split(':')
  return { address, port: Number(own ?? DNS_PORT) }
}

function udpExchange(query: Uint8Array, { address, port }: Server, done: (answer?: Uint8Array) => void): () => void {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: literalLookup })
  socket.on('error', () => done())
  socket.on('message', (bytes) => {
    // Whoever guesses the port must guess the id as well; a wrong answer ends nothing.
    if (answers(query, bytes)) done(new Uint8Array(bytes))
  })
  // A socket that is connected hears nobody else, and of a port that is closed at once.
  socket.once('connect', () => socket.send(query, () => {}))
  socket.connect(port, address)
  return () => socket.close()
}

function tcpExchange(query: Uint8Array, { address, port }: Server, done: (answer?: Uint8Array) => void): () => void {
  const socket = connect({ host: address, port, noDelay: true })
  const framer = new MessageFramer(MAX_MESSAGE_BYTES, (message) => {
    if (answers(query, message)) done(message)
  })
  socket.on('error', () => done())
  socket.on('close', () => done())
  socket.on('data', (bytes: Buffer) => framer.push(bytes))
  socket.write(framed(query))
  return () => socket.destroy()
}
