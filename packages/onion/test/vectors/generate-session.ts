/**
 * Writes session.json anew, from docs/specs/session.md alone and with nothing of src/session:
 * `bin/node packages/onion/test/vectors/generate-session.ts`. Only when the format changes.
 */
import { writeFileSync } from 'node:fs'

type Fields = Readonly<Record<string, string | number | boolean | readonly (readonly [number, number])[]>>

/** Bytes that a route of three hops leaves. */
const PAYLOAD = 1329

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const counted = (length: number, first: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, at) => (first + at) & 255))
const text = (value: string): Buffer => Buffer.from(value)

/** RFC 9000, section 16. */
function int(value: number): Buffer {
  const wide = Buffer.alloc(8)
  wide.writeBigUInt64BE(BigInt(value))
  const form = [6, 14, 30, 62].findIndex((bits) => value < 2 ** bits)
  const bytes = wide.subarray(8 - 2 ** form)
  bytes[0] = (bytes[0] as number) | (form << 6)
  return bytes
}

const frame = (type: number, ...parts: readonly (number | Uint8Array)[]): Buffer =>
  Buffer.concat([Buffer.of(type), ...parts.map((part) => (typeof part === 'number' ? int(part) : part))])
const port = (value: number): Buffer => Buffer.of(value >> 8, value & 255)
const short = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(bytes.length), bytes])

interface Frame {
  readonly fields: Fields
  readonly bytes: Buffer
}

const ping: Frame = { fields: { frame: 'PING' }, bytes: frame(0x01) }

/** Frames that are a type and integers. */
const plain = (name: string, type: number, fields: Readonly<Record<string, number>>): Frame => ({
  fields: { frame: name, ...fields },
  bytes: frame(type, ...Object.values(fields)),
})
const resetStream = (stream: number, code: number, finalSize: number): Frame =>
  plain('RESET_STREAM', 0x04, { stream, code, finalSize })
const stopSending = (stream: number, code: number): Frame => plain('STOP_SENDING', 0x05, { stream, code })
const maxData = (limit: number): Frame => plain('MAX_DATA', 0x10, { limit })
const maxStreamData = (stream: number, limit: number): Frame => plain('MAX_STREAM_DATA', 0x11, { stream, limit })
const maxStreams = (limit: number): Frame => plain('MAX_STREAMS', 0x12, { limit })
const refused = (stream: number, code: number): Frame => plain('REFUSED', 0x32, { stream, code })
const unreached = (channel: number, target: number, code: number): Frame =>
  plain('UNREACHED', 0x33, { channel, target, code })

const named = (frameName: string, type: number, fields: Readonly<Record<string, number>>, name: Buffer): Frame => ({
  fields: { frame: frameName, ...fields, name: hex(name) },
  bytes: frame(type, ...Object.values(fields), name),
})
const leg = (id: number, sequence: number, status: number): Frame => plain('LEG', 0x22, { leg: id, sequence, status })

/** @param ranges of packet numbers, both ends included, from the highest down */
function ack(delay: number, ranges: readonly (readonly [number, number])[]): Frame {
  const [[low, largest] = [0, 0], ...others] = ranges
  const parts = [largest, delay, others.length, largest - low]
  let below = low
  for (const [from, to] of others) {
    parts.push(below - to - 2, to - from)
    below = from
  }
  return { fields: { frame: 'ACK', delay, ranges }, bytes: frame(0x02, ...parts) }
}

/** @param form which of offset and length are written */
function stream(
  id: number,
  offset: number,
  bytes: Buffer,
  last: boolean,
  form: { readonly offset?: boolean; readonly length: boolean },
): Frame {
  const withOffset = form.offset ?? offset > 0
  const type = 0x08 | (withOffset ? 0x04 : 0) | (form.length ? 0x02 : 0) | (last ? 0x01 : 0)
  const parts = [id, ...(withOffset ? [offset] : []), ...(form.length ? [bytes.length] : []), bytes]
  return { fields: { frame: 'STREAM', stream: id, offset, last, bytes: hex(bytes) }, bytes: frame(type, ...parts) }
}

function close(code: number, reason: string): Frame {
  const bytes = text(reason)
  return { fields: { frame: 'CLOSE', code, reason }, bytes: frame(0x1c, code, bytes.length, bytes) }
}

const openTcp = (id: number, host: string, to: number): Frame => ({
  fields: { frame: 'OPEN', stream: id, protocol: 1, port: to, host },
  bytes: frame(0x30, id, Buffer.of(1), port(to), short(text(host))),
})
const openMeasure = (id: number, host: string, to: number): Frame => ({
  fields: { frame: 'OPEN', stream: id, protocol: 6, port: to, host },
  bytes: frame(0x30, id, Buffer.of(6), port(to), short(text(host))),
})
const openBare = (id: number, protocol: 2 | 3 | 4): Frame => ({
  fields: { frame: 'OPEN', stream: id, protocol },
  bytes: frame(0x30, id, Buffer.of(protocol)),
})
const openService = (id: number, member: Buffer, name: string): Frame => ({
  fields: { frame: 'OPEN', stream: id, protocol: 5, member: hex(member), name },
  bytes: frame(0x30, id, Buffer.of(5), member, short(text(name))),
})
const opened = (id: number, address: Buffer): Frame => ({
  fields: { frame: 'OPENED', stream: id, address: hex(address) },
  bytes: frame(0x31, id, short(address)),
})

interface Datagram {
  readonly channel: number
  readonly target: number
  readonly to?: { readonly host: string; readonly port: number }
  readonly part?: { readonly number: number; readonly total: number; readonly offset: number }
  readonly bytes: Buffer
  readonly length: boolean
}

function datagram({ channel, target, to, part, bytes, length }: Datagram): Frame {
  const type = 0x38 | (part === undefined ? 0 : 0x04) | (to === undefined ? 0 : 0x02) | (length ? 0x01 : 0)
  const parts = [
    channel,
    target,
    ...(to === undefined ? [] : [port(to.port), short(text(to.host))]),
    ...(part === undefined ? [] : [part.number, part.total, part.offset]),
    ...(length ? [bytes.length] : []),
    bytes,
  ]
  return {
    fields: { frame: 'DATAGRAM', channel, target, ...to, ...part, bytes: hex(bytes) },
    bytes: frame(type, ...parts),
  }
}

/** One that goes to the packet's end is given what the others leave. */
type Rest = (left: number) => Frame

function packet(name: string, ...frames: readonly (Frame | Rest)[]) {
  const fields: Fields[] = []
  let bytes = Buffer.alloc(0)
  for (const each of frames) {
    const made = typeof each === 'function' ? each(PAYLOAD - bytes.length) : each
    fields.push(made.fields)
    bytes = Buffer.concat([bytes, made.bytes])
  }
  if (bytes.length > PAYLOAD) throw new Error(`${name}: ${bytes.length} bytes`)
  return { name, frames: fields, bytes: hex(Buffer.concat([bytes, Buffer.alloc(PAYLOAD - bytes.length)])) }
}

const ipv4 = (address: string): Buffer => Buffer.from(address.split('.').map(Number))
const member = counted(32, 0)
const name255 = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(59)}.org`
const big = counted(1500, 3)
/** Where the part begins that does not fit one packet: its head takes 8 bytes. */
const cut = PAYLOAD - 8
const [first, second] = [2 ** 31 + 5, 2 ** 40 + 1]

const packets = [
  packet('nothing but PADDING'),
  packet(
    'each frame of a type and integers',
    ping,
    maxData(1_048_576),
    maxStreamData(4, 262_144),
    maxStreams(256),
    stopSending(8, 0),
    resetStream(8, 9, 70_000),
    refused(12, 7),
    unreached(16, 300, 3),
  ),
  packet(
    'integers where their length changes',
    ...[0, 63, 64, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, 2 ** 53 - 1].map(maxData),
    maxStreamData(2 ** 32 + 4, 2 ** 32 - 1),
  ),
  packet('a session is named, and a leg of it goes into reserve, another one is gone', named('NAME', 0x20, {}, counted(32, 7)), leg(1, 0, 2), leg(300, 70, 0)),
  packet('JOIN before all else', named('JOIN', 0x21, { leg: 1, status: 1 }, counted(32, 7)), ping),
  packet('JOIN of a leg in reserve', named('JOIN', 0x21, { leg: 64, status: 2 }, counted(32, 7)), maxData(2 ** 20)),
  packet('ACK of one packet', ack(0, [[first, first]])),
  packet(
    'ACK of three ranges with a delay, the smallest gap among them, and what stands beside it',
    ack(4_999, [
      [first + 300, first + 400],
      [first + 298, first + 298],
      [first, first + 64],
    ]),
    ping,
  ),
  packet(
    'ACK of 64 ranges, of numbers of eight bytes',
    ack(
      100_000,
      Array.from({ length: 64 }, (_, at) => [second - 70 * at, second - 70 * at] as const),
    ),
  ),
  packet(
    'OPEN of each kind, and the first bytes of one',
    openTcp(0, 'example.org', 443),
    stream(0, 0, text('GET / HTTP/1.1\r\n'), false, { length: true }),
    openTcp(4, '192.0.2.80', 80),
    openTcp(8, '2001:db8::80', 65_535),
    openTcp(252, 'a', 1),
    openBare(256, 2),
    openBare(260, 3),
    openBare(264, 4),
    openService(268, member, 'overlay'),
    openService(272, counted(32, 200), 'a-service-with-32-characters-000'),
    openTcp(276, name255, 53),
  ),
  packet(
    'OPENED and REFUSED',
    opened(0, ipv4('192.0.2.80')),
    opened(4, Buffer.concat([Buffer.from('20010db8', 'hex'), Buffer.alloc(11), Buffer.of(0x80)])),
    opened(8, ipv4('0.0.0.0')),
    opened(12, ipv4('100.64.0.7')),
    refused(16, 3),
    refused(2 ** 30, 13),
  ),
  packet(
    'OPEN that has a way measured, and what answers one',
    openMeasure(0, 'example.org', 443),
    openMeasure(4, '2001:db8::80', 65_535),
    openMeasure(8, 'a', 1),
    opened(12, ipv4('192.0.2.80')),
    stream(12, 0, Buffer.from('000030d4', 'hex'), true, { length: true }),
  ),
  packet(
    'STREAM with and without an offset, its end with and without bytes',
    stream(0, 0, text('a'), false, { length: true }),
    stream(0, 1, text('bc'), true, { length: true }),
    stream(4, 0, Buffer.alloc(0), true, { length: true }),
    stream(8, 2 ** 32, Buffer.alloc(0), true, { length: true }),
    stream(12, 16_384, counted(64, 1), false, { length: true }),
  ),
  packet('STREAM to the end of the packet', (left) => stream(64, 0, counted(left - 3, 9), false, { length: false })),
  packet('STREAM to the end of the packet, and its own', ping, (left) =>
    stream(0, 2 ** 40, counted(left - 10, 9), true, { length: false }),
  ),
  packet(
    'DATAGRAM with length: to a target that it names, to one that is known, of no bytes, a last part',
    datagram({ channel: 0, target: 0, to: { host: '192.0.2.53', port: 53 }, bytes: text('hi'), length: true }),
    datagram({ channel: 0, target: 0, bytes: text('there'), length: true }),
    datagram({ channel: 4, target: 300, bytes: Buffer.alloc(0), length: true }),
    datagram({
      channel: 4,
      target: 300,
      part: { number: 7, total: big.length, offset: cut },
      bytes: big.subarray(cut),
      length: true,
    }),
  ),
  packet('DATAGRAM to the end of the packet', (left) =>
    datagram({ channel: 4, target: 64, bytes: counted(left - 4, 5), length: false }),
  ),
  packet('DATAGRAM to the end of the packet, to a target that it names', (left) =>
    datagram({
      channel: 4,
      target: 2,
      to: { host: 'name.example', port: 4_433 },
      bytes: counted(left - 18, 5),
      length: false,
    }),
  ),
  packet('DATAGRAM to the end of the packet: a first part', (left) =>
    datagram({
      channel: 4,
      target: 300,
      part: { number: 7, total: big.length, offset: 0 },
      bytes: big.subarray(0, Math.min(cut, left - 8)),
      length: false,
    }),
  ),
  packet(
    'DATAGRAM: a part, named',
    datagram({
      channel: 8,
      target: 0,
      to: { host: '2001:db8::53', port: 53 },
      part: { number: 64, total: 65_507, offset: 65_504 },
      bytes: counted(3, 0),
      length: true,
    }),
  ),
  packet(
    'DATAGRAM: an IP packet of 1,280 bytes',
    datagram({
      channel: 12,
      target: 0,
      bytes: Buffer.concat([Buffer.from('45000500', 'hex'), counted(1_276, 4)]),
      length: true,
    }),
  ),
  packet('CLOSE without a reason', close(0, '')),
  packet('CLOSE with the longest reason', ack(0, [[3, 9]]), close(2, 'é'.repeat(100))),
]

/** What a sender may write as well, and this one does not. */
const alsoValid = [
  packet('STREAM: an offset of 0', stream(4, 0, text('abc'), false, { offset: true, length: true })),
  packet('STREAM: no bytes, and not its end', stream(4, 7, Buffer.alloc(0), false, { length: true })),
  packet('STREAM: a length that goes to the end of the packet', (left) =>
    stream(4, 0, counted(left - 4, 1), false, { length: true }),
  ),
  packet('DATAGRAM: a length that goes to the end of the packet', (left) =>
    datagram({ channel: 4, target: 0, bytes: counted(left - 5, 1), length: true }),
  ),
  packet(
    'two ACKs',
    ack(1, [[5, 6]]),
    ack(2, [
      [8, 9],
      [5, 6],
    ]),
  ),
]

writeFileSync(new URL('session.json', import.meta.url), `${JSON.stringify({ packets, alsoValid }, undefined, 2)}\n`)
