import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IpHeader, PROTOCOL, setU16 } from '../../src/ip/ip-header.ts'
import { makePacket } from './make-packet.ts'

const V4 = { source: '100.64.0.2', destination: '203.0.113.9' }
const V6 = { source: 'fd00::2', destination: '2001:db8::9' }

function read(bytes: Uint8Array): IpHeader | undefined {
  const header = new IpHeader()
  return header.read(bytes, bytes.length) ? header : undefined
}

test('TCP, UDP and ICMP of both versions are read', () => {
  for (const shape of [V4, V6]) {
    const udp = read(makePacket({ ...shape, port: 53 })) ?? assert.fail()
    assert.deepEqual([udp.protocol, udp.destinationPort, udp.sourcePort, udp.icmpType], [17, 53, 40_000, -1])
    const tcp = read(makePacket({ ...shape, protocol: PROTOCOL.tcp, port: 80 })) ?? assert.fail()
    assert.deepEqual([tcp.protocol, tcp.destinationPort, tcp.isFirst, tcp.isFragment], [6, 80, true, false])
  }
  const echo = read(makePacket({ ...V4, protocol: PROTOCOL.icmp })) ?? assert.fail()
  assert.ok(echo.isEchoRequest && !echo.isIcmpError)
  const echo6 = read(makePacket({ ...V6, protocol: PROTOCOL.icmpv6, type: 128 })) ?? assert.fail()
  assert.ok(echo6.isEchoRequest && !echo6.isIcmpError)
  assert.ok(read(makePacket({ ...V4, protocol: PROTOCOL.icmp, type: 3 }))?.isIcmpError)
  assert.ok(read(makePacket({ ...V6, protocol: PROTOCOL.icmpv6, type: 2 }))?.isIcmpError)
})

test('fragments: the first has its ports, later ones have none', () => {
  for (const shape of [V4, V6]) {
    const first = read(makePacket({ ...shape, fragment: 'first', port: 53 })) ?? assert.fail()
    assert.deepEqual([first.isFragment, first.isFirst, first.destinationPort], [true, true, 53])
    const later = read(makePacket({ ...shape, fragment: 'later' })) ?? assert.fail()
    assert.deepEqual([later.isFragment, later.isFirst, later.destinationPort], [true, false, 0])
  }
})

test('what is no plain packet is not read: options, extension headers, cut ports, other lengths, ICMP of the other version', () => {
  const options = makePacket(V4)
  options[0] = 0x46
  assert.equal(read(options), undefined)
  const routed = makePacket(V6)
  routed[6] = 43
  const header = read(routed)
  // A protocol that no exit carries.
  assert.equal(header?.protocol, 43)
  for (const shape of [V4, V6]) {
    const packet = makePacket(shape)
    assert.equal(read(packet.subarray(0, packet.length - 1)), undefined)
    assert.equal(read(Buffer.concat([packet, Uint8Array.of(0)])), undefined)
  }
  const cut = makePacket(V4).slice(0, 24)
  setU16(cut, 2, cut.length)
  assert.equal(read(cut), undefined)
  assert.equal(read(makePacket({ ...V4, protocol: PROTOCOL.icmpv6 })), undefined)
  assert.equal(read(makePacket({ ...V6, protocol: PROTOCOL.icmp })), undefined)
  assert.equal(read(new Uint8Array(0)), undefined)
  assert.equal(read(Uint8Array.of(0x50, 1, 2)), undefined)
})
