import { type Socket as Datagrams, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { ipToBytes } from '@weft/onion'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { readQuestion, u16 } from '../../src/dns/dns-message.ts'

const TXT = 16

/** A record of the zone: its type, and its data as it is written. */
export interface ZoneRecord {
  readonly type: number
  readonly ttl: number
  readonly data: Uint8Array
}

export type Known = readonly ZoneRecord[] | 'silent' | 'failing'
export type Zone = ReadonlyMap<string, Known>

export const a = (address: string, ttl = 60): ZoneRecord => ({
  type: address.includes(':') ? 28 : 1,
  ttl,
  data: ipToBytes(address) ?? new Uint8Array(),
})

export const txt = (text: string, ttl = 60): ZoneRecord => {
  const parts = Array.from({ length: Math.ceil(text.length / 255) || 1 }, (_, at) =>
    text.slice(at * 255, at * 255 + 255),
  )
  return {
    type: TXT,
    ttl,
    data: Buffer.concat(parts.flatMap((part) => [Uint8Array.of(part.length), Buffer.from(part)])),
  }
}

/** `example.test` as it is written in a message. */
export function wireName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.flatMap((label) => [Uint8Array.of(label.length), Buffer.from(label)]),
    Uint8Array.of(0),
  ])
}

const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}
const two = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)

function recordBytes({ type, ttl, data }: ZoneRecord, name: Uint8Array = Uint8Array.of(0xc0, 12)): Buffer {
  return Buffer.concat([name, two(type), two(1), u32(ttl), two(data.length), data])
}

/** SOA of the zone: what there is not may be kept for seven seconds. */
const SOA: ZoneRecord = {
  type: 6,
  ttl: 30,
  data: Buffer.concat([wireName('ns.test'), wireName('hostmaster.test'), u32(1), u32(2), u32(3), u32(4), u32(7)]),
}
const OPT = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])

/** The answer of a name server that has `zone`; undefined for none. */
export function answerFrom(zone: Zone, query: Uint8Array, limit = 65_535): Buffer | undefined {
  const question = readQuestion(query)
  if (question === undefined) return undefined
  const name = Buffer.from(question.name, 'latin1')
  const labels: string[] = []
  for (let at = 0; (name[at] ?? 0) > 0; at += 1 + (name[at] ?? 0))
    labels.push(name.toString('latin1', at + 1, at + 1 + (name[at] ?? 0)))
  const known = zone.get(labels.join('.'))
  if (known === 'silent') return undefined
  const records = typeof known === 'object' ? known.filter(({ type }) => type === question.type) : []
  const rcode = known === 'failing' ? 2 : known === undefined ? 3 : 0
  const authority = records.length === 0 && rcode !== 2 ? [recordBytes(SOA, wireName('test'))] : []
  const message = (flags: number, all: readonly Buffer[]): Buffer =>
    Buffer.concat([
      query.subarray(0, 2),
      two(0x8180 | flags | rcode),
      two(1),
      two(all.length === 0 ? 0 : records.length),
      two(all.length === 0 ? 0 : authority.length),
      two(1),
      query.subarray(12, question.end),
      ...all,
      OPT,
    ])
  // AD is set, as by a server that lies.
  const whole = message(0x20, [...records.map((record) => recordBytes(record)), ...authority])
  return whole.length <= limit ? whole : message(0x200, [])
}

/** A port of both kinds, which another program may have of one of them. */
export async function onePort(): Promise<{ readonly tcp: Server; readonly udp: Datagrams; readonly port: number }> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket('udp4')
    const bound = once(udp, 'listening').then(
      () => true,
      () => false,
    )
    udp.bind(port, '127.0.0.1')
    if (await bound) return { tcp, udp, port }
    udp.close()
    tcp.close()
  }
}

/** A name server of this machine: UDP and TCP on one port. */
export class NameServer implements AsyncDisposable {
  readonly port: number
  readonly #close: () => Promise<void>
  /** What it was asked: the type, over what, with which id and from which port. */
  readonly asked: {
    readonly type: number
    readonly over: 'udp' | 'tcp'
    readonly id: number
    readonly port: number
  }[] = []

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port
    this.#close = close
  }

  static async listen(zone: Zone): Promise<NameServer> {
    const { tcp, udp, port } = await onePort()
    const sockets = new Set<Socket>()
    const server = new NameServer(port, async () => {
      udp.close()
      tcp.close()
      for (const socket of sockets) socket.destroy()
      await once(tcp, 'close')
    })
    const note = (query: Uint8Array, over: 'udp' | 'tcp', from: number): void => {
      const type = readQuestion(query)?.type ?? 0
      server.asked.push({ type, over, id: u16(query, 0), port: from })
    }
    udp.on('message', (query, from) => {
      note(query, 'udp', from.port)
      const answer = answerFrom(zone, query, 1_232)
      if (answer !== undefined) udp.send(answer, from.port, from.address)
    })
    tcp.on('connection', (socket: Socket) => {
      sockets.add(socket)
      const framer = new MessageFramer(65_535, (query) => {
        note(query, 'tcp', socket.remotePort ?? 0)
        const answer = answerFrom(zone, query)
        if (answer !== undefined) socket.write(framed(answer))
      })
      socket.on('data', (bytes: Buffer) => framer.push(bytes))
      socket.on('error', () => {})
    })
    return server
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

/** A query as a program makes it. @param options bytes of UDP that it takes; none without EDNS */
export function queryFor(
  name: string,
  type: number,
  id: number,
  options?: { readonly size: number; readonly dnssecOk?: boolean },
): Buffer {
  const opt =
    options === undefined
      ? Buffer.alloc(0)
      : Buffer.from([0, 0, 41, ...two(options.size), 0, 0, options.dnssecOk === true ? 0x80 : 0, 0, 0, 0])
  const counts = [0, 1, 0, 0, 0, 0, 0, options === undefined ? 0 : 1]
  return Buffer.concat([two(id), Uint8Array.of(1, 0, ...counts), wireName(name), two(type), two(1), opt])
}
