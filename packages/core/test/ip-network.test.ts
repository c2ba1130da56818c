import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkNetwork } from '../src/ip-network.ts'

test('networks and addresses are taken', () => {
  for (const text of [
    '10.0.0.0/8',
    '0.0.0.0/0',
    '192.0.2.7',
    '192.0.2.7/32',
    'fd00::/8',
    '::/0',
    '2001:db8::1',
    '::1/128',
  ])
    assert.doesNotThrow(() => checkNetwork(text), text)
})

test('what is none is refused in words of its own, and an address behind the bits with the network that it is in', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['x', /^'x' has no IPv4 or IPv6 address$/],
    ['', /no IPv4/],
    ['10.0.0/8', /no IPv4/],
    ['10.0.0.0/8:*', /no IPv4/],
    ['[fd00::]/8', /no IPv4/],
    ['10.0.0.0/33', /more than 32 bits/],
    ['fd00::/129', /more than 128 bits/],
    ['11.99.0.1/16', /write 11\.99\.0\.0\/16$/],
    ['255.255.255.255/1', /write 128\.0\.0\.0\/1$/],
    ['2001:db8::5/33', /write 2001:db8::\/33$/],
    ['fd12::/8', /write fd00::\/8$/],
  ]
  for (const [text, message] of refused) assert.throws(() => checkNetwork(text), { name: 'RangeError', message }, text)
})
