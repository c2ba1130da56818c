import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PROTOCOL } from '../../src/ip/ip-header.ts'
import { makePacket } from '../ip/make-packet.ts'
import { merge, split } from './merge-and-split.ts'
import { type Flow, contentAtOf, flows, isTrue, packetsOf, withChecksums } from './traffic.ts'

const BULK: Flow = {
  isIPv6: false,
  isTcp: true,
  sourcePort: 443,
  destinationPort: 40_000,
  sequence: 0xffff_ff00,
  id: 0xfffe,
  dontFragment: false,
  options: Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 7),
  payloads: Array.from({ length: 5 }, (_, at) => new Uint8Array(1_000).fill(at)),
  isPushed: false,
}

/** Those of two flows in turn. */
function interleave(one: readonly Buffer[], other: readonly Buffer[]): Buffer[] {
  const packets: Buffer[] = []
  for (let at = 0; at < Math.max(one.length, other.length); at++)
    packets.push(...one.slice(at, at + 1), ...other.slice(at, at + 1))
  return packets
}

const keyOf = (packet: Buffer): string =>
  `${contentAtOf(packet)} ${packet[contentAtOf(packet) === 20 ? 9 : 6]} ${packet.readUInt32BE(contentAtOf(packet))}`

function byFlow(packets: readonly Buffer[]): Record<string, readonly Buffer[]> {
  return Object.groupBy(packets, keyOf) as Record<string, readonly Buffer[]>
}

test('property: what is merged is split into the same bytes again, each flow in its order', () => {
  fc.assert(
    fc.property(flows, flows, (one, other) => {
      const packets = interleave(packetsOf(one), packetsOf(other))
      const { written, broken } = merge(packets)
      assert.equal(broken, 0)
      assert.deepEqual(byFlow(written.flatMap(({ whole }) => split(whole))), byFlow(packets))
    }),
  )
})

test('property: packets of a flow become as few as there can be', () => {
  fc.assert(
    fc.property(flows, (flow) => {
      const packets = packetsOf(flow)
      const each = Math.min(64, Math.floor((65_535 - (packets[0]?.length ?? 0)) / (flow.payloads[0]?.length ?? 1)) + 1)
      const { written } = merge(packets)
      // A last one that is short or pushed begins nothing, and is merged only where there is room.
      assert.ok(written.length <= Math.ceil(packets.length / each) + 1)
      for (const { bytes, count } of written) assert.ok(count <= 64 && bytes.length <= 65_535)
    }),
  )
})

test('five segments are one, whatever numbers of packets and of bytes begin anew', () => {
  const { written } = merge(packetsOf(BULK))
  assert.deepEqual(
    written.map(({ count, kind }) => [count, kind]),
    [[5, 1]],
  )
  assert.equal(written[0]?.bytes.length, 20 + 32 + 5_000)
})

for (const [name, flow, kind] of [
  ['TCP over IPv6', { isIPv6: true }, 4],
  ['UDP over IPv4', { isTcp: false }, 5],
  ['UDP over IPv6', { isTcp: false, isIPv6: true }, 5],
] as const)
  test(`they are over ${name} as well`, () => {
    const { written } = merge(packetsOf({ ...BULK, ...flow }))
    assert.deepEqual(
      written.map((each) => [each.count, each.kind]),
      [[5, kind]],
    )
  })

test('where the system has no super-packets nothing is merged', () => {
  for (const isTcp of [true, false]) {
    const packets = packetsOf({ ...BULK, isTcp })
    const { written } = merge(packets, { tcp: !isTcp, udp: isTcp })
    assert.deepEqual(
      written.map(({ bytes }) => bytes),
      packets,
    )
  }
})

test('what is pushed ends a super-packet, which says so', () => {
  const packets = packetsOf({ ...BULK, isPushed: true })
  const more = packetsOf({ ...BULK, sequence: (BULK.sequence + 5_000) >>> 0, id: (BULK.id + 5) & 0xffff })
  const { written } = merge([...packets, ...more])
  assert.deepEqual(
    written.map(({ count, bytes }) => [count, bytes[33]]),
    [
      [5, 0x18],
      [5, 0x10],
    ],
  )
})

/** Another second packet of a flow: what it is changed by, its checksums made true again where that is wanted. */
const HOSTILE: readonly (readonly [name: string, change: (packet: Buffer) => Buffer | void, flow?: Partial<Flow>])[] = [
  ['other addresses', (packet) => void (packet[15] = 1)],
  ['other ports', (packet) => void (packet[21] = 1)],
  ['a gap', (packet) => void packet.writeUInt32BE((packet.readUInt32BE(24) + 1) >>> 0, 24)],
  ['bytes that came before', (packet) => void packet.writeUInt32BE(BULK.sequence, 24)],
  ['other acknowledged bytes', (packet) => void packet.writeUInt32BE(9, 28)],
  ['another window', (packet) => void packet.writeUInt16BE(9, 34)],
  ['an urgent pointer', (packet) => void packet.writeUInt16BE(9, 38)],
  ['FIN', (packet) => void (packet[33] = 0x11)],
  ['SYN', (packet) => void (packet[33] = 0x12)],
  ['RST', (packet) => void (packet[33] = 0x14)],
  ['URG', (packet) => void (packet[33] = 0x30)],
  ['ECE', (packet) => void (packet[33] = 0x50)],
  ['CWR', (packet) => void (packet[33] = 0x90)],
  ['no ACK', (packet) => void (packet[33] = 0)],
  ['reserved bits', (packet) => void (packet[32] = 0x81)],
  ['other options', (packet) => void (packet[50] = 9)],
  ['fewer options', (packet) => void (packet[32] = 0x70)],
  ['another type of service', (packet) => void (packet[1] = 0)],
  ['another time to live', (packet) => void (packet[8] = 62)],
  ['another number', (packet) => void packet.writeUInt16BE(77, 4)],
  ['another word on fragments', (packet) => void packet.writeUInt16BE(0x4000, 6)],
  ['a fragment', (packet) => void packet.writeUInt16BE(0x2000, 6)],
  ['another flow label', (packet) => void (packet[3] = 1), { isIPv6: true }],
  ['another hop limit', (packet) => void (packet[7] = 1), { isIPv6: true }],
  ['more bytes', (packet) => longer(packet)],
  ['more bytes of UDP', (packet) => longer(packet), { isTcp: false }],
  ['other ports of UDP', (packet) => void (packet[21] = 1), { isTcp: false }],
]

function longer(packet: Buffer): Buffer {
  const more = Buffer.concat([packet, Buffer.alloc(4)])
  more.writeUInt16BE(more.length, 2)
  if (packet[9] === PROTOCOL.udp) more.writeUInt16BE(more.length - 20, 24)
  return more
}

for (const [name, change, flow = {}] of HOSTILE)
  test(`not merged: ${name}`, () => {
    const [first, second] = packetsOf({ ...BULK, ...flow }) as [Buffer, Buffer]
    const changed = change(second) ?? second
    withChecksums(changed)
    const { written } = merge([first, changed])
    assert.deepEqual(
      written.map(({ count, kind, bytes }) => [count, kind, bytes]),
      [
        [1, 0, first],
        [1, 0, changed],
      ],
    )
  })

test('a packet whose checksum is false is not written where others are merged, and is counted', () => {
  for (const isTcp of [true, false])
    for (const bad of [0, 1, 2]) {
      const packets = packetsOf({ ...BULK, isTcp, payloads: BULK.payloads.slice(0, 3) })
      const packet = packets[bad] as Buffer
      packet[packet.length - 1] = (packet.at(-1) as number) ^ 1
      const { written, broken } = merge(packets)
      assert.equal(broken, 1)
      const came = written.flatMap(({ whole }) => split(whole))
      assert.deepEqual(
        came,
        packets.filter((_, at) => at !== bad),
      )
    }
})

test('a false checksum of the IP header is noticed, too', () => {
  for (const bad of [0, 1]) {
    const packets = packetsOf({ ...BULK, payloads: BULK.payloads.slice(0, 2) })
    const packet = packets[bad] as Buffer
    packet[11] = (packet[11] as number) ^ 1
    const { written, broken } = merge(packets)
    assert.equal(broken, 1)
    assert.deepEqual(
      written.map(({ kind, bytes }) => [kind, bytes]),
      [[0, packets[1 - bad]]],
    )
  }
})

test('a packet whose lengths contradict each other is not written, and is counted', () => {
  const tcp = packetsOf(BULK)[0] as Buffer
  for (const offset of [0x00, 0x40, 0xf0]) {
    const cut = Buffer.from(tcp.subarray(0, 60))
    cut.writeUInt16BE(60, 2)
    cut[32] = offset
    assert.deepEqual(merge([cut]), { written: [], broken: offset === 0xf0 || offset < 0x50 ? 1 : 0 })
  }
  const udp = packetsOf({ ...BULK, isTcp: false })[0] as Buffer
  for (const length of [0, 7, udp.length - 19, 0xffff]) {
    udp.writeUInt16BE(length, 24)
    assert.deepEqual(merge([udp]), { written: [], broken: 1 })
  }
  assert.equal(merge([Buffer.from(tcp.subarray(0, 100))]).broken, 1)
  assert.equal(merge([Buffer.of(0x45)]).broken, 1)
})

test('UDP without a checksum, and with bytes behind the datagram, goes as it came', () => {
  const packets = packetsOf({ ...BULK, isTcp: false })
  for (const packet of packets) packet.writeUInt16BE(0, 26)
  assert.deepEqual(
    merge(packets).written.map(({ bytes }) => bytes),
    packets,
  )
  const behind = packetsOf({ ...BULK, isTcp: false })
  for (const packet of behind) packet.writeUInt16BE(500, 24)
  assert.deepEqual(
    merge(behind).written.map(({ bytes, kind }) => [kind, bytes]),
    behind.map((packet) => [0, packet]),
  )
})

test('many tiny packets are not merged', () => {
  const packets = packetsOf({ ...BULK, payloads: Array.from({ length: 50 }, () => new Uint8Array(255)) })
  assert.deepEqual(
    merge(packets).written.map(({ bytes }) => bytes),
    packets,
  )
})

test('a packet of a flow that cannot be merged does not overtake what is held of it; nor does a fragment between its addresses', () => {
  const [first, second, third] = packetsOf(BULK) as [Buffer, Buffer, Buffer]
  const finished = Buffer.from(third)
  finished[33] = 0x11
  withChecksums(finished)
  const fragment = makePacket({ source: '203.0.113.9', destination: '100.64.0.7', fragment: 'later' })
  for (const last of [finished, fragment]) {
    const { written } = merge([first, second, Buffer.from(last)])
    assert.deepEqual(
      written.map(({ count }) => count),
      [2, 1],
    )
    assert.deepEqual(written[1]?.bytes, Buffer.from(last))
  }
})

test('of more flows at once than are held the oldest goes first; none is lost', () => {
  const all = Array.from({ length: 40 }, (_, port) => packetsOf({ ...BULK, sourcePort: port + 1 }))
  const packets = [0, 1, 2].flatMap((round) => all.map((flow) => flow[round] as Buffer))
  const { written } = merge(packets)
  assert.deepEqual(byFlow(written.flatMap(({ whole }) => split(whole))), byFlow(packets))
})

test('property: of changed packets only true ones get into a super-packet, and no flow loses its order', () => {
  const change = fc.tuple(fc.nat(30), fc.nat(80), fc.nat(255), fc.boolean())
  fc.assert(
    fc.property(flows, fc.array(change, { maxLength: 6 }), (flow, changes) => {
      const packets = packetsOf(flow)
      for (const [which, at, value, isMended] of changes) {
        const packet = packets[which]
        if (packet === undefined || at >= packet.length) continue
        packet[at] = value
        const contentAt = contentAtOf(packet)
        if (isMended && (packet[contentAt === 20 ? 9 : 6] === 6 || packet[contentAt === 20 ? 9 : 6] === 17))
          if (packet.length >= contentAt + 20) withChecksums(packet)
      }
      const { written, broken } = merge(packets)
      const total = written.reduce((sum, { count }) => sum + count, 0)
      assert.equal(total + broken, packets.length)
      for (const { count, kind, whole } of written) {
        assert.equal(count > 1, kind !== 0)
        if (count === 1) continue
        const came = split(whole)
        assert.equal(came.length, count)
        for (const packet of came) assert.ok(isTrue(packet) && packets.some((each) => sameButNumber(each, packet)))
      }
    }),
  )
})

/** The number of a packet that is not to be cut is nobody's business (RFC 6864). */
function sameButNumber(one: Buffer, other: Buffer): boolean {
  if (one.equals(other)) return true
  if (one.length !== other.length || contentAtOf(one) !== 20 || one.readUInt16BE(6) !== 0x4000) return false
  const copy = Buffer.from(one)
  copy.writeUInt16BE(other.readUInt16BE(4), 4)
  return withChecksums(copy).equals(other)
}
