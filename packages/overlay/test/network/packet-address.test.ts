import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalHost, mappedIPv4 } from '@weft/core'
import fc from 'fast-check'
import { formatPacketAddress, parsePacketAddress } from '../../src/network/packet-address.ts'

const host = fc
  .oneof(fc.ipV4(), fc.ipV6())
  .map((text) => canonicalHost(text) ?? '')
  .filter((text) => mappedIPv4(text) === undefined)

test('what is written is read back', () => {
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), (address, port) => {
      assert.deepEqual(parsePacketAddress(formatPacketAddress({ host: address, port })), { host: address, port })
    }),
  )
})

test('what is read is written back as it was: an address has one spelling', () => {
  const text = fc.oneof(
    fc.tuple(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6()), fc.nat(70_000)).map(([address, port]) => {
      return `/${address.includes(':') ? 'ip6' : 'ip4'}/${address}/udp/${port}`
    }),
    fc.stringMatching(/^\/ip[46]\/[0-9a-f.:]{1,40}\/(udp|tcp)\/[0-9]{1,6}$/),
  )
  fc.assert(
    fc.property(text, (input) => {
      const parsed = parsePacketAddress(input)
      if (parsed !== undefined) assert.equal(formatPacketAddress(parsed), input)
    }),
    { numRuns: 1_000 },
  )
})

test('everything else is refused', () => {
  for (const text of [
    '',
    '/ip4/192.0.2.7/tcp/4782',
    '/ip4/192.0.2.7/udp/0',
    '/ip4/192.0.2.7/udp/65536',
    '/ip4/192.0.2.7/udp/04782',
    '/ip4/192.0.2.07/udp/4782',
    '/ip4/192.0.2.7/udp/4782/quic',
    '/ip4/192.0.2.7/udp/4782\n',
    '/ip4/2001:db8::7/udp/4782',
    '/ip6/192.0.2.7/udp/4782',
    '/ip6/2001:DB8::7/udp/4782',
    '/ip6/2001:db8:0::7/udp/4782',
    '/ip6/::ffff:c000:207/udp/4782',
    '/ip6/fe80::7%eth0/udp/4782',
    '/dns4/example.org/udp/4782',
  ]) {
    assert.equal(parsePacketAddress(text), undefined, text)
  }
})
