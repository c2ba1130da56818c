import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { merge, split } from './merge-and-split.ts'
import { contentAtOf, flows, isTrue, packetsOf } from './traffic.ts'

/** A super-packet of the system: header and packet, with the sum of the pseudo-header in place of the checksum. */
function superPacket(count: number, flags = 0x10, kind?: number): Buffer {
  const packets = packetsOf({
    isIPv6: false,
    isTcp: true,
    sourcePort: 1,
    destinationPort: 2,
    sequence: 7,
    id: 9,
    dontFragment: true,
    options: new Uint8Array(0),
    payloads: Array.from({ length: count }, () => new Uint8Array(1_000).fill(5)),
    isPushed: false,
  })
  const whole = merge(packets).written[0]?.whole ?? assert.fail()
  whole[10 + 33] = flags
  if (kind !== undefined) whole[1] = kind
  return whole
}

test('flags: CWR is in the first segment alone, PSH and FIN are in the last', () => {
  const packets = split(superPacket(3, 0x99, 0x81))
  assert.deepEqual(
    packets.map((packet) => [packet[33], packet.readUInt32BE(24), packet.readUInt16BE(4), isTrue(packet)]),
    [
      [0x90, 7, 9, true],
      [0x10, 1_007, 10, true],
      [0x19, 2_007, 11, true],
    ],
  )
})

test('the number of a packet begins anew behind 65,535', () => {
  const whole = superPacket(3)
  whole.writeUInt16BE(0xffff, 10 + 4)
  assert.deepEqual(
    split(whole).map((packet) => [packet.readUInt16BE(4), isTrue(packet)]),
    [
      [0xffff, true],
      [0, true],
      [1, true],
    ],
  )
})

test('property: a checksum that was left open is completed', () => {
  fc.assert(
    fc.property(flows, (flow) => {
      const packet = packetsOf(flow)[0] ?? assert.fail()
      const contentAt = contentAtOf(packet)
      const header = Buffer.alloc(10)
      header[0] = 1
      header.writeUInt16LE(contentAt, 6)
      header.writeUInt16LE(flow.isTcp ? 16 : 6, 8)
      const open = Buffer.from(packet)
      // Of the pseudo-header alone: addresses, protocol, length.
      let sum = (flow.isTcp ? 6 : 17) + packet.length - contentAt
      for (let at = contentAt === 20 ? 12 : 8; at < contentAt; at += 2) sum += packet.readUInt16BE(at)
      while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff)
      open.writeUInt16BE(sum, contentAt + (flow.isTcp ? 16 : 6))
      const [completed] = split(Buffer.concat([header, open]))
      assert.ok(completed !== undefined && isTrue(completed))
      assert.deepEqual(completed, packet)
    }),
  )
})

for (const [name, change] of [
  ['segments of no bytes', (whole: Buffer) => whole.writeUInt16LE(0, 4)],
  ['segments longer than a packet', (whole: Buffer) => whole.writeUInt16LE(1_241, 4)],
  ['of the other version', (whole: Buffer) => whole.writeUInt8(4, 1)],
  ['of the other protocol', (whole: Buffer) => whole.writeUInt8(5, 1)],
  ['of fragments of UDP', (whole: Buffer) => whole.writeUInt8(3, 1)],
  ['of another length than its header says', (whole: Buffer) => whole.writeUInt16BE(1_000, 10 + 2)],
  ['whose header of TCP is longer than it is', (whole: Buffer) => whole.writeUInt8(0x40, 10 + 32)],
  ['a fragment', (whole: Buffer) => whole.writeUInt16BE(0x2000, 10 + 6)],
  ['with options of IPv4', (whole: Buffer) => whole.writeUInt8(0x46, 10)],
] as const)
  test(`no super-packet: ${name}`, () => {
    const whole = superPacket(3)
    change(whole)
    assert.deepEqual(split(whole), [])
  })

test('a checksum that would stand behind the packet is left alone, and the packet dropped', () => {
  const whole = Buffer.alloc(50)
  whole[0] = 1
  for (const [start, offset] of [
    [39, 0],
    [0xffff, 0xffff],
    [0, 39],
  ] as const) {
    whole.writeUInt16LE(start, 6)
    whole.writeUInt16LE(offset, 8)
    assert.deepEqual(split(whole), [])
  }
})
