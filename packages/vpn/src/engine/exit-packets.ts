import type { Clock } from '@weft/core'
import { MAX_IP_PACKET_BYTES, SessionCode, type SessionStream, ipFromBytes } from '@weft/onion'
import { IpClient } from '../exit/ip-client.ts'
import type { IpNetwork } from '../exit/ip-network.ts'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import { IpVerdicts } from '../exit/ip-verdicts.ts'
import { NumberPool } from '../exit/number-pool.ts'
import { IpHeader, isAddressAt } from '../ip/ip-header.ts'
import { prohibited } from '../ip/icmp-error.ts'

export interface ExitPacketsInit {
  readonly policy: Pick<ExitPolicy, 'refusal' | 'refusalOfAddress'>
  readonly clock: Clock
  readonly network: IpNetwork
  /** Hands a packet to the system. */
  readonly write: (packet: Uint8Array) => void
  /** Has the system forget what the client of a number began. Never rejects. */
  readonly release: (number: number) => Promise<void>
}

/** ms in which one client has earned another word about refused packets (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4), and how many at once. */
const TELL_MS = 50
const TELL_BURST = 16
/** ms that a client has to send a packet, before its address may be given to another when there are no more. */
const SILENT_MS = 10_000

/** What became of IP packets at an exit, by reason where they were dropped. */
export interface IpCounters {
  sent: number
  received: number
  /** No plain IP packet, or longer than a channel takes. */
  malformed: number
  /** From another address than the client was given. */
  spoofed: number
  refused: number
  /** To nobody, or from whom the client sent nothing to. */
  unasked: number
  overflowed: number
}

/** The IP packets of clients at this exit, between their sessions and its own interface. */
export class ExitPackets {
  readonly #init: ExitPacketsInit
  readonly #verdicts: IpVerdicts
  readonly #numbers: NumberPool
  readonly #clients = new Map<number, IpClient>()
  readonly #streams = new Map<SessionStream, IpClient>()
  readonly #sessions = new Set<object>()
  /** Those of whom no packet went out yet, in the order in which they came: since when, monotonic ms, and what ends one. */
  readonly #silent = new Map<IpClient, { readonly since: number; readonly end: () => void }>()
  readonly #header = new IpHeader()
  /** Of the packet that an ICMP error is about. */
  readonly #answer = new Uint8Array(MAX_IP_PACKET_BYTES)
  readonly counters: IpCounters = {
    sent: 0,
    received: 0,
    malformed: 0,
    spoofed: 0,
    refused: 0,
    unasked: 0,
    overflowed: 0,
  }

  constructor(init: ExitPacketsInit) {
    this.#init = init
    this.#verdicts = new IpVerdicts(init)
    const { first, end } = init.network
    this.#numbers = new NumberPool(first, end)
  }

  /** With those that wait no more as newer ones came, or as they waited too long. */
  get totals(): IpCounters {
    let { overflowed } = this.counters
    for (const { channel } of this.#clients.values()) overflowed += channel.queue.dropped
    return { ...this.counters, overflowed }
  }

  /** Clients that have an address here. */
  get size(): number {
    return this.#clients.size
  }

  /** @param session of which one channel is taken */
  take(stream: SessionStream, session: object, wake: () => void): void {
    const { ip } = stream
    const number = ip === undefined || this.#sessions.has(session) ? undefined : this.#takeNumber()
    if (ip === undefined || number === undefined) {
      stream.refuse(SessionCode.limit)
      return wake()
    }
    const { network } = this.#init
    const client = new IpClient(number, ip, wake, network.address4(number), network.address6(number))
    this.#clients.set(number, client)
    this.#streams.set(stream, client)
    this.#sessions.add(session)
    const forget = (): void => {
      if (!this.#streams.delete(stream)) return
      this.#silent.delete(client)
      this.counters.overflowed += ip.queue.dropped
      this.#clients.delete(number)
      const free = (): void => {
        this.#sessions.delete(session)
        this.#numbers.give(number)
      }
      // Its session gets no other number until then: there is no more to clear up than there are sessions.
      if (client.hasSent) void this.#init.release(number).then(free)
      else free()
    }
    const end = (code: number): void => {
      forget()
      stream.reset(code)
      wake()
    }
    this.#silent.set(client, { since: this.#init.clock.monotonic(), end: () => end(SessionCode.timedOut) })
    ip.handler = { onPacket: (bytes) => this.#fromClient(client, bytes) }
    stream.handler = {
      onReset: forget,
      onEnd: () => end(SessionCode.none),
    }
    // An address of IPv6 ends in that of IPv4: who gets one has both.
    stream.accept(ipFromBytes(network.hasIPv6 ? client.address6 : client.address4))
    wake()
  }

  /** Where all are given, one is taken back that was held for a while for nothing. */
  #takeNumber(): number | undefined {
    const number = this.#numbers.take()
    if (number !== undefined) return number
    const [oldest] = this.#silent.values()
    if (oldest === undefined || this.#init.clock.monotonic() - oldest.since < SILENT_MS) return undefined
    oldest.end()
    return this.#numbers.take()
  }

  /** A packet that the system sent into the interface. */
  fromOutside(bytes: Uint8Array, length: number): void {
    const header = this.#header
    const { counters } = this
    counters.received++
    if (length > MAX_IP_PACKET_BYTES || !header.read(bytes, length)) {
      counters.malformed++
      return
    }
    const client = this.#clientAt(bytes, header)
    if (client === undefined || !isExpected(client, header, bytes, length)) {
      counters.unasked++
      return
    }
    const { channel } = client
    const { dropped } = channel.queue
    if (channel.send(bytes, length)) client.wake()
    else if (channel.queue.dropped === dropped) counters.overflowed++
  }

  #clientAt(bytes: Uint8Array, { destinationAt, addressBytes, version }: IpHeader): IpClient | undefined {
    const end = destinationAt + addressBytes
    const number = ((bytes[end - 2] as number) << 8) | (bytes[end - 1] as number)
    const client = this.#clients.get(number & this.#init.network.mask)
    if (client === undefined) return undefined
    return isAddressAt(bytes, destinationAt, version === 4 ? client.address4 : client.address6) ? client : undefined
  }

  #fromClient(client: IpClient, bytes: Uint8Array): void {
    const header = this.#header
    const { counters } = this
    const isPlain = header.read(bytes, bytes.length)
    if (!isPlain || (header.version === 6 && !this.#init.network.hasIPv6)) {
      counters.malformed++
      return
    }
    if (!isAddressAt(bytes, header.sourceAt, client.addressFor(header))) {
      counters.spoofed++
      return
    }
    if (!this.#verdicts.allows(header, bytes)) return this.#refuse(client, bytes)
    if (!client.hasSent) this.#silent.delete(client)
    client.note(bytes, header.destinationAt, header.addressBytes)
    counters.sent++
    this.#init.write(bytes)
  }

  #refuse(client: IpClient, bytes: Uint8Array): void {
    this.counters.refused++
    const { clock, network } = this.#init
    const now = clock.monotonic()
    const until = Math.max(now, client.toldUntil)
    if (until - now > (TELL_BURST - 1) * TELL_MS) return
    const header = this.#header
    const own = header.version === 4 ? network.own4 : network.own6
    const length = prohibited(header, bytes, bytes.length, own, this.#answer)
    if (length === 0 || !client.channel.send(this.#answer, length)) return
    client.toldUntil = until + TELL_MS
    client.wake()
  }
}

/** From an address that the client sent something to; an ICMP error may come from anywhere, about a packet to such a one. */
function isExpected(client: IpClient, header: IpHeader, bytes: Uint8Array, length: number): boolean {
  const { version, sourceAt, addressBytes, isIcmpError, contentAt } = header
  if (!isIcmpError) return client.hasNoted(bytes, sourceAt, addressBytes)
  const about = contentAt + 8
  const at = about + (version === 4 ? 16 : 24)
  return at + addressBytes <= length && client.hasNoted(bytes, at, addressBytes)
}
