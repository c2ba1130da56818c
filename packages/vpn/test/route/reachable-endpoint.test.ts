import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachableEndpoint } from '../../src/route/reachable-endpoint.ts'

const FOUR = { address: '192.0.2.1', port: 443 }
const SIX = { address: '2001:db8::1', port: 443 }
const both = { endpoint: FOUR, moreEndpoints: [SIX] }
const own =
  (...addresses: readonly string[]) =>
  () => ({
    lo: [{ address: '::1', internal: true }],
    eth0: addresses.map((address) => ({ address, internal: false })),
  })

test('the first address of a family that the machine has is taken', () => {
  assert.equal(reachableEndpoint(both, { bound: '::', interfaces: own('10.0.0.1', '2001:db8::9') }), FOUR)
  assert.equal(reachableEndpoint(both, { bound: '::', interfaces: own('2001:db8::9') }), SIX)
  assert.equal(reachableEndpoint(both, { bound: '::', interfaces: own('10.0.0.1', 'fe80::1') }), FOUR)
  assert.equal(
    reachableEndpoint(
      { endpoint: SIX, moreEndpoints: [FOUR] },
      { bound: '::', interfaces: own('10.0.0.1', 'fe80::1') },
    ),
    FOUR,
  )
})

test('a socket of one family is not asked to send to the other', () => {
  assert.equal(reachableEndpoint(both, { bound: '2001:db8::9', interfaces: own('10.0.0.1', '2001:db8::9') }), SIX)
  const six = { endpoint: SIX, moreEndpoints: [FOUR] }
  assert.equal(reachableEndpoint(six, { bound: '0.0.0.0', interfaces: own('10.0.0.1', '2001:db8::9') }), FOUR)
})

test('where none can be reached it is the first, and loopback can always be', () => {
  assert.equal(reachableEndpoint(both, { bound: '::', interfaces: own() }), FOUR)
  const local = { endpoint: SIX, moreEndpoints: [{ address: '::1', port: 1 }] }
  assert.equal(reachableEndpoint(local, { bound: '::', interfaces: own() }).address, '::1')
})
