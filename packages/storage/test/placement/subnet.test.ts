import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subnetOf } from '../../src/placement/subnet.ts'

test('the /24 of IPv4 and the /48 of IPv6, however they are written', () => {
  assert.equal(subnetOf('10.1.2.3'), subnetOf('10.1.2.255'))
  assert.notEqual(subnetOf('10.1.2.3'), subnetOf('10.1.3.3'))
  assert.equal(subnetOf('2001:db8:0:1::5'), subnetOf('2001:0db8:0000:ffff::1'))
  assert.notEqual(subnetOf('2001:db8:0::5'), subnetOf('2001:db8:1::5'))
  assert.equal(subnetOf('::1'), '0:0:0::/48')
  assert.equal(subnetOf('2001:db8::'), '2001:db8:0::/48')
})
