import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex, utf8 } from '@weft/core'
import { type AckFrame } from '../../src/session/ack-frame.ts'
import { type DatagramFrame } from '../../src/session/datagram-frame.ts'
import { FrameReader, type FrameSink } from '../../src/session/frame-reader.ts'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { RangeSet } from '../../src/session/range-set.ts'
import { SessionViolation } from '../../src/session/session-violation.ts'
import { type Fields, decodeBySpec } from './spec-decoder.ts'

interface Packet {
  readonly name: string
  readonly frames: Fields[]
  readonly bytes: string
}

const FILE = 'packages/onion/test/vectors/session.json'
const root = new URL('../../../../', import.meta.url)
const { packets, alsoValid } = JSON.parse(readFileSync(new URL(FILE, root), 'utf8')) as Record<
  'packets' | 'alsoValid',
  Packet[]
>

/** Notes every frame with the names of the vectors. */
class Notes implements FrameSink {
  readonly all: Fields[] = []
  onPing(): void {
    this.all.push({ frame: 'PING' })
  }
  onName(name: Uint8Array): void {
    this.all.push({ frame: 'NAME', name: toHex(name) })
  }
  onJoin(leg: number, status: number, name: Uint8Array): void {
    this.all.push({ frame: 'JOIN', leg, status, name: toHex(name) })
  }
  onLeg(leg: number, sequence: number, status: number): void {
    this.all.push({ frame: 'LEG', leg, sequence, status })
  }
  onAck(ack: AckFrame): void {
    const ranges = Array.from({ length: ack.count }, (_, index) => [ack.low(index), ack.high(index)])
    this.all.push({ frame: 'ACK', delay: ack.delayUs, ranges })
  }
  onResetStream(stream: number, code: number, finalSize: number): void {
    this.all.push({ frame: 'RESET_STREAM', stream, code, finalSize })
  }
  onStopSending(stream: number, code: number): void {
    this.all.push({ frame: 'STOP_SENDING', stream, code })
  }
  onStreamData(stream: number, offset: number, last: boolean, payload: Uint8Array, start: number, end: number): void {
    this.all.push({ frame: 'STREAM', stream, offset, last, bytes: toHex(payload.subarray(start, end)) })
  }
  onMaxData(limit: number): void {
    this.all.push({ frame: 'MAX_DATA', limit })
  }
  onMaxStreamData(stream: number, limit: number): void {
    this.all.push({ frame: 'MAX_STREAM_DATA', stream, limit })
  }
  onMaxStreams(limit: number): void {
    this.all.push({ frame: 'MAX_STREAMS', limit })
  }
  onCloseFrame(code: number, reason: string): void {
    this.all.push({ frame: 'CLOSE', code, reason })
  }
  onOpen(stream: number, protocol: number, port: number, host: string, member?: Uint8Array): void {
    const target = member === undefined ? { port, host } : { member: toHex(member), name: host }
    this.all.push({ frame: 'OPEN', stream, protocol, ...([1, 5, 6].includes(protocol) ? target : {}) })
  }
  onOpened(stream: number, address: Uint8Array): void {
    this.all.push({ frame: 'OPENED', stream, address: toHex(address) })
  }
  onRefused(stream: number, code: number): void {
    this.all.push({ frame: 'REFUSED', stream, code })
  }
  onDatagram(frame: DatagramFrame, payload: Uint8Array, start: number, end: number): void {
    const { channel, target, isNamed, port, host, isPart, number, total, offset } = frame
    const to = isNamed ? { host, port } : {}
    const part = isPart ? { number, total, offset } : {}
    const bytes = toHex(payload.subarray(start, end))
    this.all.push({ frame: 'DATAGRAM', channel, target, ...to, ...part, bytes })
  }
  onUnreached(channel: number, target: number, code: number): void {
    this.all.push({ frame: 'UNREACHED', channel, target, code })
  }
}

function read(payload: Uint8Array): Fields[] {
  const notes = new Notes()
  new FrameReader().read(payload, notes)
  return notes.all
}

/** What the writer is asked for, by the fields of a vector. */
type Wanted = Record<
  | 'stream'
  | 'leg'
  | 'status'
  | 'sequence'
  | 'code'
  | 'finalSize'
  | 'limit'
  | 'delay'
  | 'offset'
  | 'protocol'
  | 'channel'
  | 'target'
  | 'number',
  number
> &
  Record<'frame' | 'reason' | 'member' | 'name' | 'address' | 'bytes', string> & {
    readonly last: boolean
    readonly port?: number
    readonly host?: string
    readonly total?: number
    readonly ranges: readonly (readonly [number, number])[]
  }

const WRITE: Record<string, (writer: FrameWriter, wanted: Wanted, payload: Uint8Array) => boolean> = {
  PING: (writer) => writer.ping(),
  ACK: (writer, { ranges, delay }) => {
    const received = new RangeSet()
    for (const [low, high] of ranges) received.add(low, high + 1)
    return writer.ack(received, delay)
  },
  NAME: (writer, { name }) => writer.name(fromHex(name)),
  JOIN: (writer, { leg, status, name }) => writer.join(leg, status, fromHex(name)),
  LEG: (writer, { leg, sequence, status }) => writer.leg(leg, sequence, status),
  RESET_STREAM: (writer, { stream, code, finalSize }) => writer.resetStream(stream, code, finalSize),
  STOP_SENDING: (writer, { stream, code }) => writer.stopSending(stream, code),
  STREAM: (writer, { stream, offset, bytes, last }, payload) => {
    const length = writer.streamHead(stream, offset, bytes.length / 2, last)
    payload.set(fromHex(bytes), writer.at)
    writer.wrote(length)
    return length === bytes.length / 2
  },
  MAX_DATA: (writer, { limit }) => writer.maxData(limit),
  MAX_STREAM_DATA: (writer, { stream, limit }) => writer.maxStreamData(stream, limit),
  MAX_STREAMS: (writer, { limit }) => writer.maxStreams(limit),
  CLOSE: (writer, { code, reason }) => writer.close(code, reason),
  OPEN: (writer, { stream, protocol, port = 0, host = '', member, name }) => {
    if (protocol === 1 || protocol === 6) return writer.open(stream, port, host, protocol)
    return protocol === 5 ? writer.openService(stream, fromHex(member), name) : writer.openBare(stream, protocol)
  },
  OPENED: (writer, { stream, address }) => writer.opened(stream, fromHex(address)),
  REFUSED: (writer, { stream, code }) => writer.refused(stream, code),
  UNREACHED: (writer, { channel, target, code }) => writer.unreached(channel, target, code),
  DATAGRAM: (writer, { channel, target, port = 0, host = '', number, total, offset, bytes }) => {
    if (total === undefined) return writer.datagram(channel, target, port, host, fromHex(bytes))
    const whole = new Uint8Array(total)
    whole.set(fromHex(bytes), offset)
    return writer.datagramPart(channel, target, port, host, number, whole, offset) === bytes.length / 2
  },
}

function write(frames: readonly Fields[], length: number): Uint8Array {
  const payload = new Uint8Array(length).fill(0xee)
  const writer = new FrameWriter()
  writer.reset(payload)
  for (const frame of frames) {
    const one = WRITE[frame['frame'] as string]
    assert.ok(one?.(writer, frame as Wanted, payload), `${String(frame['frame'])} was not written`)
  }
  writer.finish()
  return payload
}

for (const { name, frames, bytes } of packets)
  test(`vector: ${name}: written, read, and read by the text of the specification`, () => {
    assert.equal(toHex(write(frames, bytes.length / 2)), bytes)
    assert.deepEqual(read(fromHex(bytes)), frames)
    assert.deepEqual(decodeBySpec(fromHex(bytes)), frames)
  })

for (const { name, frames, bytes } of alsoValid)
  test(`vector of what others may write: ${name}: read, and read by the text of the specification`, () => {
    assert.deepEqual(read(fromHex(bytes)), frames)
    assert.deepEqual(decodeBySpec(fromHex(bytes)), frames)
  })

test('docs/specs/session.md names the vectors, and these have every frame of its table', () => {
  const spec = readFileSync(new URL('docs/specs/session.md', root), 'utf8')
  assert.ok(spec.includes(`\`${FILE}\``))
  const named = [...spec.matchAll(/^\| 0x[0-9a-f–x]+ \| ([A-Z_]+) \|/gm)].map(([, name]) => name)
  assert.equal(named.length, 18)
  const shown = new Set(packets.flatMap(({ frames }) => frames.map(({ frame }) => frame)))
  assert.deepEqual(
    named.filter((name) => !shown.has(name)),
    ['PADDING'],
  )
})

/** Undefined for what is malformed. */
function orMalformed(decode: (payload: Uint8Array) => Fields[], payload: Uint8Array, error: string) {
  try {
    return decode(payload)
  } catch (thrown) {
    assert.ok(thrown instanceof Error && thrown.name === error, String(thrown))
    return undefined
  }
}

const packet = fc.constantFrom(...packets, ...alsoValid).map(({ bytes }) => fromHex(bytes))
const changes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 4 })

test('whatever becomes of a packet, the text of the specification takes and refuses what the reader does', () => {
  const check = (payload: Uint8Array): void => {
    const byText = orMalformed(decodeBySpec, payload, 'Malformed')
    assert.deepEqual(orMalformed(read, payload, new SessionViolation('').name), byText)
  }
  const changed = fc.property(packet, changes, fc.integer({ min: 1, max: 1329 }), (whole, bytes, length) => {
    const payload = whole.slice(0, length)
    for (const [at, value] of bytes) payload[at % length] = value
    check(payload)
  })
  fc.assert(changed, { numRuns: 20_000 })
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), check), { numRuns: 20_000 })
})

test('a reason keeps a byte order mark, and ends at a whole character', () => {
  const bom = write([{ frame: 'CLOSE', code: 1, reason: '\ufeffx' }], 40)
  assert.deepEqual(read(bom), decodeBySpec(bom))
  const cut = read(write([{ frame: 'CLOSE', code: 1, reason: `${'a'.repeat(199)}é` }], 240))
  assert.equal(utf8(cut[0]?.['reason'] as string).length, 199)
})
