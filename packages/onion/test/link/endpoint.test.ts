import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSameEndpoint, limitNetwork, limitPrefix } from '../../src/link/endpoint.ts'

describe('endpoints', () => {
  it('are counted by IPv4 address or IPv6 /64', () => {
    assert.equal(limitPrefix('192.0.2.7'), '192.0.2.7')
    const network = '2001:db8:1:2::/64'
    for (const address of ['2001:db8:1:2::', '2001:db8:1:2::7', '2001:db8:1:2:3:4:5:6'])
      assert.equal(limitPrefix(address), network)
    assert.equal(limitPrefix('2001:db8::1'), '2001:db8:0:0::/64')
    assert.equal(limitPrefix('::1'), '0:0:0:0::/64')
    assert.equal(limitPrefix('fe80::1:2'), 'fe80:0:0:0::/64')
    assert.notEqual(limitPrefix('2001:db8:1:3::7'), network)
  })

  it('are counted by IPv4 /24 or IPv6 /48, too', () => {
    const network = (address: string): string => limitNetwork(limitPrefix(address))
    assert.equal(network('192.0.2.7'), '192.0.2.0/24')
    assert.equal(network('2001:db8:1:2::7'), '2001:db8:1::/48')
    assert.equal(network('2001:db8:1:ffff::'), '2001:db8:1::/48')
    assert.equal(network('2001:db8::1'), '2001:db8:0::/48')
    assert.equal(network('::1'), '0:0:0::/48')
  })

  it('are the same by value', () => {
    const one = { address: '192.0.2.7', port: 1 }
    assert.ok(isSameEndpoint(one, { ...one }))
    assert.ok(!isSameEndpoint(one, { ...one, port: 2 }))
  })
})
