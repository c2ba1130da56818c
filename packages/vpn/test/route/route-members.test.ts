import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toDidKey } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import { routeMembers, routePrefix } from '../../src/route/route-members.ts'

const key = new Uint8Array(32).fill(7)
const member: Member = {
  id: toDidKey(key),
  roles: ['entry', 'relay'],
  addresses: ['/ip4/192.0.2.9/tcp/4780'],
  family: 'f',
  region: 'europe',
  country: 'DE',
  asn: 5,
  diversityAddress: '192.0.2.9',
  simulated: false,
  certificateEpoch: 1,
  expiresAt: 2,
  certificateHash: key,
}

test('only members that carry packets are taken, at their first packet address', () => {
  const packets = { addresses: ['/ip6/2001:db8::9/udp/4782', '/ip4/192.0.2.9/udp/4782'], linkKey: key, onionKey: key }
  const [one, ...others] = routeMembers([member, { ...member, packets }])
  assert.deepEqual(others, [])
  assert.deepEqual(one?.endpoint, { address: '2001:db8::9', port: 4782 })
  assert.deepEqual([one.key, one.prefix, one.asn], [key, '192.0.0.0/16', 5])
})

test('networks are /16 and /32, however an address is written', () => {
  assert.equal(routePrefix('198.51.100.7'), '198.51.0.0/16')
  assert.equal(routePrefix('::ffff:198.51.100.7'), '198.51.0.0/16')
  assert.equal(routePrefix('2001:db8:1:2::3'), '2001:db8::/32')
  assert.equal(routePrefix('nowhere'), 'nowhere')
})
