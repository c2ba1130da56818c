import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalHost, isLoopback, isUnspecified, mappedIPv4 } from '@weft/core'
import fc from 'fast-check'
import { parseNodeAddress } from '../../src/network/node-address.ts'

test('the forms that are dialled', () => {
  assert.deepEqual(parseNodeAddress('/ip4/192.0.2.1/tcp/4780'), { host: '192.0.2.1', port: 4780, websocket: false })
  assert.deepEqual(parseNodeAddress('/ip6/2001:db8::1/tcp/4781/ws'), {
    host: '2001:db8::1',
    port: 4781,
    websocket: true,
  })
})

test('everything else is refused', () => {
  const others = [
    '',
    '/ip4/1.2.3/tcp/1',
    '/ip4/1.2.3.4/tcp/0',
    '/ip4/1.2.3.4/tcp/65536',
    '/ip4/1.2.3.4/udp/1',
    '/ip4/::1/tcp/1',
    '/ip6/1.2.3.4/tcp/1',
  ]
  for (const text of [
    ...others,
    '/ip4/1.2.3.4/tcp/1/p2p/x',
    '/dns4/a/tcp/1',
    '/ip4/1.2.3.4/tcp/1\n',
    '/ip6/fe80::1%eth0/tcp/1',
  ]) {
    assert.equal(parseNodeAddress(text), undefined, text)
  }
})

test('an address has one spelling, and IPv4 is not written as IPv6', () => {
  const spellings = [
    '0:0:0:0:0:0:0:1',
    '0:0:0:0:0:0:0:0001',
    '2001:DB8::1',
    '2001:db8:0::1',
    '2001:0db8::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0::ffff:192.0.2.1',
    '::127.0.0.1',
  ]
  for (const host of spellings) assert.equal(parseNodeAddress(`/ip6/${host}/tcp/1`), undefined, host)
  for (const host of ['::1', '2001:db8::1', '::7f00:1'])
    assert.equal(parseNodeAddress(`/ip6/${host}/tcp/1`)?.host, host)
})

test('every IPv6 address has exactly one spelling that is read', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
      const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':')
      const canonical = canonicalHost(long)!
      assert.equal(canonicalHost(canonical), canonical)
      assert.equal(parseNodeAddress(`/ip6/${canonical}/tcp/1`)?.host, canonical)
      if (long !== canonical) assert.equal(parseNodeAddress(`/ip6/${long}/tcp/1`), undefined)
    }),
  )
})

test('the IPv4 address in a mapped one', () => {
  fc.assert(
    fc.property(fc.ipV4(), (host) => {
      assert.equal(mappedIPv4(canonicalHost(`::ffff:${host}`)!), host)
      assert.equal(mappedIPv4(canonicalHost(`::${host}`)!), undefined)
    }),
  )
})

test('every pair of a literal and a port is read as it was written', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      assert.deepEqual(parseNodeAddress(`/ip4/${host}/tcp/${port}`), { host, port, websocket: false })
    }),
  )
})

test('loopback and unspecified', () => {
  assert.deepEqual(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1', '::2'].map(isLoopback), [
    true,
    true,
    true,
    false,
    false,
  ])
  assert.deepEqual(['0.0.0.0', '::', '0:0::0', '0.0.0.1', '::1'].map(isUnspecified), [true, true, true, false, false])
})
