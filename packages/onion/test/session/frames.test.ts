import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AckFrame } from '../../src/session/ack-frame.ts'
import { type DatagramFrame } from '../../src/session/datagram-frame.ts'
import { FrameReader, type FrameSink } from '../../src/session/frame-reader.ts'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { RangeSet } from '../../src/session/range-set.ts'
import { SessionViolation } from '../../src/session/session-violation.ts'
import { PayloadCursor, varintLength, writeVarint } from '../../src/session/varint.ts'

/** Notes every frame as a plain array. */
class Notes implements FrameSink {
  readonly all: unknown[][] = []
  onName(name: Uint8Array): void {
    this.all.push(['name', [...name]])
  }
  onJoin(leg: number, status: number, name: Uint8Array): void {
    this.all.push(['join', leg, status, [...name]])
  }
  onLeg(leg: number, sequence: number, status: number): void {
    this.all.push(['leg', leg, sequence, status])
  }
  onPing(): void {
    this.all.push(['ping'])
  }
  onAck(ack: AckFrame): void {
    this.all.push(['ack', ack.delayUs, Array.from({ length: ack.count }, (_, i) => [ack.low(i), ack.high(i)])])
  }
  onResetStream(id: number, code: number, finalSize: number): void {
    this.all.push(['reset', id, code, finalSize])
  }
  onStopSending(id: number, code: number): void {
    this.all.push(['stop', id, code])
  }
  onStreamData(id: number, offset: number, fin: boolean, payload: Uint8Array, start: number, end: number): void {
    this.all.push(['stream', id, offset, fin, [...payload.subarray(start, end)]])
  }
  onMaxData(limit: number): void {
    this.all.push(['maxData', limit])
  }
  onMaxStreamData(id: number, limit: number): void {
    this.all.push(['maxStreamData', id, limit])
  }
  onMaxStreams(limit: number): void {
    this.all.push(['maxStreams', limit])
  }
  onCloseFrame(code: number, reason: string): void {
    this.all.push(['close', code, reason])
  }
  onOpen(id: number, protocol: number, port: number, host: string, member?: Uint8Array): void {
    if (member !== undefined) this.all.push(['openService', id, [...member], host])
    else this.all.push(protocol === 1 ? ['open', id, port, host] : ['openBare', id, protocol])
  }
  onOpened(id: number, address: Uint8Array): void {
    this.all.push(['opened', id, [...address]])
  }
  onRefused(id: number, code: number): void {
    this.all.push(['refused', id, code])
  }
  onDatagram(frame: DatagramFrame, payload: Uint8Array, start: number, end: number): void {
    const { channel, target, isNamed, port, host, isPart, number, total, offset } = frame
    const fields = { channel, target, isNamed, port, host, isPart, number, total, offset }
    this.all.push(['datagram', fields, [...payload.subarray(start, end)]])
  }
  onUnreached(id: number, target: number, code: number): void {
    this.all.push(['unreached', id, target, code])
  }
}

function read(bytes: Uint8Array): unknown[][] {
  const notes = new Notes()
  new FrameReader().read(bytes, notes)
  return notes.all
}

const value = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(70),
  fc.nat(0x5000),
  fc.constantFrom(63, 64, 16383, 16384, 2 ** 30 - 1, 2 ** 30),
)
const id = fc.nat(1_000_000).map((n) => n * 4)

test('varint: every safe integer comes back, in the length of RFC 9000, section 16', () => {
  fc.assert(
    fc.property(value, (number) => {
      const out = new Uint8Array(8)
      const end = writeVarint(number, out, 0)
      assert.equal(end, varintLength(number))
      const cursor = new PayloadCursor()
      cursor.reset(out.subarray(0, end))
      assert.equal(cursor.varint(), number)
      assert.equal(cursor.left, 0)
    }),
  )
})

test('varint: the examples of RFC 9000, appendix A.1; longer forms and 2^53 are refused', () => {
  const decode = (hex: string): number => {
    const cursor = new PayloadCursor()
    cursor.reset(Uint8Array.from(Buffer.from(hex, 'hex')))
    return cursor.varint()
  }
  assert.equal(decode('9d7f3e7d'), 494_878_333)
  assert.equal(decode('7bbd'), 15_293)
  assert.equal(decode('25'), 37)
  for (const hex of [
    '4025',
    '80003bbd',
    'c00000000000003f',
    'c2197c5eff14e88c',
    'c020000000000000',
    '40',
    'c000000000',
  ])
    assert.throws(() => decode(hex), SessionViolation, hex)
})

const frame = fc.oneof(
  fc.constant(['ping'] as const),
  fc.tuple(fc.constant('maxData' as const), value),
  fc.tuple(fc.constant('maxStreams' as const), value),
  fc.tuple(fc.constant('maxStreamData' as const), id, value),
  fc.tuple(fc.constant('stop' as const), id, value),
  fc.tuple(fc.constant('refused' as const), id, value),
  fc.tuple(fc.constant('reset' as const), id, value, value),
  fc.tuple(fc.constant('close' as const), value, fc.string({ maxLength: 100 })),
  fc.tuple(
    fc.constant('open' as const),
    id,
    fc.integer({ min: 1, max: 65_535 }),
    fc.stringMatching(/^[a-z0-9.:-]{1,255}$/),
  ),
  fc.tuple(
    fc.constant('openService' as const),
    id,
    fc.array(fc.nat(255), { minLength: 32, maxLength: 32 }),
    fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  ),
  fc.tuple(
    fc.constant('opened' as const),
    id,
    fc.constantFrom(4, 16).chain((n) => fc.array(fc.nat(255), { minLength: n, maxLength: n })),
  ),
)

test('frames: what is written is what is read, and what does not fit leaves no trace', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), fc.integer({ min: 1, max: 1329 }), (frames, size) => {
      const payload = new Uint8Array(size).fill(0xee)
      const writer = new FrameWriter()
      writer.reset(payload)
      const written: unknown[][] = []
      for (const f of frames) {
        const before = writer.at
        let fits: boolean
        if (f[0] === 'ping') fits = writer.ping()
        else if (f[0] === 'maxData') fits = writer.maxData(f[1])
        else if (f[0] === 'maxStreams') fits = writer.maxStreams(f[1])
        else if (f[0] === 'maxStreamData') fits = writer.maxStreamData(f[1], f[2])
        else if (f[0] === 'stop') fits = writer.stopSending(f[1], f[2])
        else if (f[0] === 'refused') fits = writer.refused(f[1], f[2])
        else if (f[0] === 'reset') fits = writer.resetStream(f[1], f[2], f[3])
        else if (f[0] === 'close') fits = writer.close(f[1], f[2])
        else if (f[0] === 'open') fits = writer.open(f[1], f[2], f[3])
        else if (f[0] === 'openService') fits = writer.openService(f[1], Uint8Array.from(f[2]), f[3])
        else fits = writer.opened(f[1], Uint8Array.from(f[2]))
        if (fits) written.push(f[0] === 'close' ? [f[0], f[1], cut(f[2])] : [...f])
        else assert.equal(writer.at, before)
      }
      writer.finish()
      assert.deepEqual(read(payload), written)
    }),
  )
})

/** The first 200 bytes of UTF-8, whole characters. */
function cut(text: string): string {
  let out = ''
  for (const char of new TextDecoder().decode(new TextEncoder().encode(text))) {
    if (new TextEncoder().encode(out + char).length > 200) break
    out += char
  }
  return out
}

test('STREAM: whatever room is left, the piece that is written is read, and fills the packet or is whole', () => {
  fc.assert(
    fc.property(
      id,
      value.filter((v) => v < 2 ** 52),
      fc.nat(2000),
      fc.boolean(),
      fc.integer({ min: 1, max: 1400 }),
      (stream, offset, wanted, fin, size) => {
        const payload = new Uint8Array(size)
        const writer = new FrameWriter()
        writer.reset(payload)
        const length = writer.streamHead(stream, offset, wanted, fin)
        if (length < 0) {
          assert.ok(size < 1 + varintLength(stream) + varintLength(offset) + 1)
          return
        }
        assert.ok(length > 0 || wanted === 0)
        payload.fill(7, writer.at, writer.at + length)
        writer.wrote(length)
        assert.ok(writer.at <= size)
        // Short of what was wanted only in a packet that is full, but for the byte that a length may cost.
        if (length < wanted) assert.ok(size - writer.at <= 1)
        writer.finish()
        const bytes = Array.from({ length }, () => 7)
        assert.deepEqual(read(payload), [['stream', stream, offset, fin && length === wanted, bytes]])
      },
    ),
  )
})

test('ACK: the newest ranges come back from the highest down, at most 64', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(3000), { minLength: 1, maxLength: 400 }),
      fc.nat(2 ** 40),
      fc.nat(10_000),
      (numbers, base, delay) => {
        const ranges = new RangeSet()
        for (const n of numbers) ranges.add(base + n, base + n + 1)
        const payload = new Uint8Array(1329)
        const writer = new FrameWriter()
        writer.reset(payload)
        assert.ok(writer.ack(ranges, delay))
        writer.finish()
        const expected: [number, number][] = []
        for (let i = ranges.count - 1; i >= 0 && expected.length < 64; i--)
          expected.push([ranges.low(i), ranges.high(i) - 1])
        assert.deepEqual(read(payload), [['ack', delay, expected]])
      },
    ),
  )
})

const host = fc.oneof(fc.constant(''), fc.stringMatching(/^[a-z0-9.:-]{1,255}$/))

test('DATAGRAM: a whole one or a part is read as it was written, whatever room is left, and what does not fit leaves no trace', () => {
  fc.assert(
    fc.property(
      id,
      value,
      host,
      fc.uint8Array({ maxLength: 1500 }),
      value,
      fc.nat(1500),
      fc.integer({ min: 1, max: 1400 }),
      (channel, target, name, bytes, number, offset, size) => {
        const payload = new Uint8Array(size).fill(0xee)
        const writer = new FrameWriter()
        writer.reset(payload)
        const port = name === '' ? 0 : 4660
        const named = { channel, target, isNamed: name !== '', port, host: name }
        if (writer.datagram(channel, target, port, name, bytes)) {
          writer.finish()
          const whole = { ...named, isPart: false, number: 0, total: 0, offset: 0 }
          assert.deepEqual(read(payload), [['datagram', whole, [...bytes]]])
          return
        }
        assert.deepEqual([writer.at, payload[0]], [0, 0xee])
        const from = Math.min(offset, bytes.length - 1)
        if (from < 0) return
        const length = writer.datagramPart(channel, target, port, name, number, bytes, from)
        if (length < 0) {
          assert.deepEqual([writer.at, payload[0]], [0, 0xee])
          return
        }
        assert.ok(length > 0 && from + length <= bytes.length)
        // Short of what was wanted only in a packet that is full, but for the byte that a length may cost.
        if (from + length < bytes.length) assert.ok(size - writer.at <= 1)
        writer.finish()
        const part = { ...named, isPart: true, number, total: bytes.length, offset: from }
        assert.deepEqual(read(payload), [['datagram', part, [...bytes.subarray(from, from + length)]]])
      },
    ),
    { numRuns: 1000 },
  )
})

test('DATAGRAM: the examples of docs/specs/session.md', () => {
  const named = { channel: 0, target: 0, isNamed: true, port: 53, host: '192.0.2.53' }
  assert.deepEqual(read(hex('3b 00 00 0035 0a 3139322e302e322e3533 02 6869')), [
    ['datagram', { ...named, isPart: false, number: 0, total: 0, offset: 0 }, [0x68, 0x69]],
  ])
  const known = { channel: 4, target: 300, isNamed: false, port: 0, host: '' }
  assert.deepEqual(read(hex('3d 04 412c 07 45dc 4528 01 6f 00')), [
    ['datagram', { ...known, isPart: true, number: 7, total: 1500, offset: 1320 }, [0x6f]],
  ])
  assert.deepEqual(read(hex('30 04 02 30 08 03 33 04 412c 03')), [
    ['openBare', 4, 2],
    ['openBare', 8, 3],
    ['unreached', 4, 300, 3],
  ])
})

test('OPEN of a service: the example of docs/specs/session.md', () => {
  const member = Uint8Array.from({ length: 32 }, (_, at) => at)
  const example = hex(`30 08 05 ${Buffer.from(member).toString('hex')} 07 6f7665726c6179`)
  assert.deepEqual(read(example), [['openService', 8, [...member], 'overlay']])
  const written = new Uint8Array(example.length)
  const writer = new FrameWriter()
  writer.reset(written)
  assert.ok(writer.openService(8, member, 'overlay'))
  assert.deepEqual(written, example)
  writer.reset(written.subarray(1))
  assert.ok(!writer.openService(8, member, 'overlay'))
})

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

for (const [what, bytes] of [
  ['a type that does not exist', '03'],
  ['a stream id that no client opens', '09 01 00'],
  ['padding that is not zero', '00 01'],
  ['a leg of status 3', '22 01 00 03'],
  ['a leg that joins as gone', `21 01 00 ${'00 '.repeat(32)}`],
  ['a name of 31 bytes', `20 ${'00 '.repeat(31)}`],
  ['an ACK below packet 0', '02 05 00 00 06'],
  ['an ACK whose second range is below 0', '02 05 00 01 02 02 00'],
  ['65 ranges', '02 00 4064 00 4040 00'],
  ['a STREAM longer than the packet', '0a 00 05 61'],
  ['a STREAM past 2^53', '0e 00 c01fffffffffffff 01 61'],
  ['a reason of 201 bytes', '1c 00 40c9'],
  ['a reason that is not UTF-8', '1c 00 01 ff'],
  ['protocol 7', '30 00 07 0050 01 61'],
  ['a way to measure to no port', '30 00 06 0000 01 61'],
  ['a way to measure to no host', '30 00 06 0050 00'],
  ['a service of nobody', '30 00 05 0050 01 61'],
  ['a service without a name', `30 00 05 ${'00'.repeat(32)} 00`],
  ['a service with a name of 33 characters', `30 00 05 ${'00'.repeat(32)} 21 ${'61'.repeat(33)}`],
  ['a service with a name that goes beyond the packet', `30 00 05 ${'00'.repeat(32)} 05 6162`],
  ['a service with a name in capitals', `30 00 05 ${'00'.repeat(32)} 01 41`],
  ['a datagram to port 0', '3b 00 00 0000 01 61 00'],
  ['a datagram to nobody', '3b 00 00 0050 00 00'],
  ['a datagram longer than the packet', '39 00 00 05 61'],
  ['a datagram on a stream that no client opens', '38 01 00'],
  ['a datagram of 65,508 bytes in parts', '3d 00 00 00 8000ffe4 00 01 61'],
  ['an empty part', '3d 00 00 00 05 00 00'],
  ['a part beyond its datagram', '3d 00 00 00 05 05 01 61'],
  ['UNREACHED that ends early', '33 00 00'],
  ['an empty host', '30 00 01 0050 00'],
  ['port 0', '30 00 01 0000 01 61'],
  ['a host with a line break', '30 00 01 0050 02 610a'],
  ['an address of 5 bytes', '31 00 05 0102030405'],
  ['a frame that ends early', '04 00'],
] as const)
  test(`refused: ${what}`, () => {
    assert.throws(() => read(hex(bytes)), SessionViolation)
  })

test('any bytes are read or refused with SessionViolation', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        read(bytes)
      } catch (error) {
        assert.ok(error instanceof SessionViolation)
      }
    }),
    { numRuns: 2000 },
  )
})
