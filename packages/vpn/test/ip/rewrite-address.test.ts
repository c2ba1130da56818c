import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipFromBytes, ipToBytes } from '@weft/onion'
import fc from 'fast-check'
import { checksumOf, sumOf } from '../../src/ip/checksum.ts'
import { prohibited } from '../../src/ip/icmp-error.ts'
import { IpHeader, PROTOCOL, setU16 } from '../../src/ip/ip-header.ts'
import { rewriteAddress, rewriteInside } from '../../src/ip/rewrite-address.ts'
import { contentSum, makePacket } from './make-packet.ts'

const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 })
const address6 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const shapes = fc.oneof(
  fc.record({
    addresses: fc.tuple(address4, address4, address4),
    protocol: fc.constantFrom(PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmp),
  }),
  fc.record({
    addresses: fc.tuple(address6, address6, address6),
    protocol: fc.constantFrom(PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmpv6),
  }),
)

type Example = [
  shape: typeof shapes extends fc.Arbitrary<infer Shape> ? Shape : never,
  content: Uint8Array<ArrayBuffer>,
  isSource: boolean,
]

/** A datagram whose checksum comes out as zero. */
const SUM_OF_ZERO: Example = [
  {
    addresses: [Uint8Array.of(252, 7, 23, 248), Uint8Array.of(244, 149, 214, 74), Uint8Array.of(0, 0, 0, 0)],
    protocol: PROTOCOL.udp,
  },
  Uint8Array.of(131),
  false,
]

test('property: with another source or destination all checksums are true', () => {
  fc.assert(
    fc.property(shapes, fc.uint8Array({ maxLength: 60 }), fc.boolean(), (shape, content, isSource) => {
      const [source, destination, other] = shape.addresses
      const packet = makePacket({
        source: ipFromBytes(source),
        destination: ipFromBytes(destination),
        protocol: shape.protocol,
        type: 128,
        content,
      })
      const header = new IpHeader()
      assert.ok(header.read(packet, packet.length))
      rewriteAddress(header, packet, packet.length, isSource ? header.sourceAt : header.destinationAt, other)
      const at = isSource ? header.sourceAt : header.destinationAt
      assert.deepEqual(new Uint8Array(packet.subarray(at, at + other.length)), other)
      if (header.version === 4) assert.equal(checksumOf(sumOf(packet, 0, 20)), 0)
      assert.equal(contentSum(packet, header.contentAt, shape.protocol), 0xffff)
    }),
    { examples: [SUM_OF_ZERO] },
  )
})

test('UDP over IPv4 without a checksum stays without', () => {
  const packet = makePacket({ source: '10.0.0.1', destination: '10.0.0.2' })
  setU16(packet, 26, 0)
  const header = new IpHeader()
  assert.ok(header.read(packet, packet.length))
  rewriteAddress(header, packet, packet.length, 12, Uint8Array.of(192, 0, 2, 1))
  assert.deepEqual([packet[26], packet[27]], [0, 0])
})

for (const [source, destination, own, inside] of [
  ['100.64.4.7', '10.1.2.3', '100.64.4.1', '100.127.255.1'],
  ['fd00::6440:407', '2001:db8::1', 'fd00::1', 'fd77:6566:7400::1'],
] as const)
  test(`an ICMP error about a packet of ${source} leads to whom the packet is from, inside and outside`, () => {
    const [from, to] = [ipToBytes(source) ?? assert.fail(), ipToBytes(inside) ?? assert.fail()]
    const about = makePacket({ source, destination, protocol: PROTOCOL.tcp, content: new Uint8Array(1000) })
    const header = new IpHeader()
    assert.ok(header.read(about, about.length))
    const into = new Uint8Array(1280).fill(9)
    const length = prohibited(header, about, about.length, ipToBytes(own) ?? assert.fail(), into)
    const error = into.slice(0, length)
    assert.ok(header.read(error, length) && header.isIcmpError)
    assert.ok(length <= (header.version === 4 ? 576 : 1280))
    assert.equal(contentSum(error, header.contentAt, header.protocol), 0xffff)
    rewriteAddress(header, error, length, header.destinationAt, to)
    rewriteInside(header, error, length, from, to)
    assert.equal(contentSum(error, header.contentAt, header.protocol), 0xffff)
    const at = header.contentAt + 8
    const insideAt = at + (header.version === 4 ? 12 : 8)
    assert.deepEqual(error.slice(insideAt, insideAt + to.length), to)
    if (header.version === 4) assert.equal(checksumOf(sumOf(error, at, at + 20)), 0)
  })

test('no error is about an error or a later fragment', () => {
  const header = new IpHeader()
  const into = new Uint8Array(1280)
  for (const more of [{ protocol: PROTOCOL.icmp, type: 3 }, { fragment: 'later' as const }]) {
    const packet = makePacket({ source: '10.0.0.1', destination: '10.0.0.2', ...more })
    assert.ok(header.read(packet, packet.length))
    assert.equal(prohibited(header, packet, packet.length, Uint8Array.of(1, 2, 3, 4), into), 0)
  }
})
