import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressGroup } from '../../src/network/address-group.ts'

test('an IPv4 address stands for itself, as text, in a multiaddr and in IPv6 form', () => {
  for (const address of ['192.0.2.1', '/ip4/192.0.2.1/tcp/5', '::ffff:192.0.2.1', '/ip6/::ffff:c000:201/tcp/6']) {
    assert.equal(addressGroup(address), '192.0.2.1', address)
  }
})

test('loopback is told from the other addresses of its range', () => {
  assert.equal(addressGroup('/ip6/::1/tcp/5'), '::1')
  assert.equal(addressGroup('/ip6/0:0:0:0:0:0:0:1/tcp/5'), '::1')
  assert.notEqual(addressGroup('::2'), '::1')
})

test('a zone does not change whose address it is, and text that is no address stands for itself', () => {
  assert.equal(addressGroup('/ip6zone/eth0/ip6/2001:db8::1/tcp/5'), addressGroup('2001:db8::7'))
  for (const text of ['', 'example.org', 'fe80::1%eth0']) assert.equal(addressGroup(text), text)
})

test('all of one /64 is one, whatever the spelling, and another /64 is another', () => {
  const group = fc.integer({ min: 0, max: 0xffff })
  fc.assert(
    fc.property(
      fc.array(group, { minLength: 8, maxLength: 8 }),
      fc.array(group, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 0, max: 3 }),
      (groups, rest, at) => {
        // Such prefixes may be loopback or IPv4, which have groups of their own.
        fc.pre(groups.slice(0, 4).some((each) => each !== 0))
        const spell = (each: readonly number[]): string => each.map((value) => value.toString(16)).join(':')
        const long = groups.map((value) => value.toString(16).toUpperCase().padStart(4, '0')).join(':')
        const one = addressGroup(spell(groups))
        assert.equal(addressGroup(long), one)
        assert.equal(addressGroup(`/ip6/${spell([...groups.slice(0, 4), ...rest])}/tcp/1`), one)
        const other = groups.with(at, (groups[at]! + 1) & 0xffff)
        fc.pre(other.slice(0, 4).some((each) => each !== 0))
        assert.notEqual(addressGroup(spell(other)), one)
      },
    ),
  )
})
