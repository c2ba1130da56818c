import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { networkPrefix } from '../../src/network/network-prefix.ts'

test('the /24 of IPv4 and the /48 of IPv6, however they are written', () => {
  for (const [address, prefix] of [
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::FFFF:c000:24d', '192.0.2.0/24'],
    ['0:0:0:0:0:ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:DB8:1::5', '2001:db8:1::/48'],
    ['2001:0db8:0001:9::5', '2001:db8:1::/48'],
    ['2001:db8::', '2001:db8:0::/48'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['odd', 'odd'],
    ['999.0.2.1', '999.0.2.1'],
    ['', ''],
  ] as const)
    assert.equal(networkPrefix(address), prefix, address)
})

test('two spellings of one IPv6 address are one network, and its first three groups decide', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), fc.nat(0xffff), (groups, other) => {
      const spell = (parts: readonly number[]): string => parts.map((part) => part.toString(16)).join(':')
      const padded = groups.map((part) => part.toString(16).toUpperCase().padStart(4, '0')).join(':')
      const prefix = networkPrefix(spell(groups))
      assert.equal(networkPrefix(padded), prefix)
      // An address in ::/48 may be a mapped IPv4 one.
      if (groups.slice(0, 3).every((part) => part === 0)) return
      assert.equal(networkPrefix(spell([...groups.slice(0, 7), other])), prefix)
      assert.equal(
        networkPrefix(spell([...groups.slice(0, 2), other, ...groups.slice(3)])) === prefix,
        other === groups[2],
      )
    }),
  )
})

test('text that is no address is its own network', () => {
  fc.assert(fc.property(fc.string(), (text) => isIP(text) !== 0 || networkPrefix(text) === text))
})
