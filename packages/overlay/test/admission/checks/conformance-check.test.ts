import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConformanceProbe } from '../../../src/admission/probe.ts'
import { addressOf, packetsOf } from '../../fixtures.ts'
import type { MemoryNode } from '../../memory-network.ts'
import { fixture, apply, RELAY, applicant } from '../apply.ts'
import { packetProbe, unreachable } from '../hostile/packet-probe.ts'

test('a probe of packets is run once for the node, over what it declared, and only for who carries packets', async () => {
  const addresses = [addressOf(4), addressOf(5)]
  const prepare = (node: MemoryNode): void => void node.addresses.add(addressOf(5))
  const { probe, seen } = packetProbe(() => {})
  assert.equal(await apply({ body: { ...RELAY, addresses }, prepare, probes: [probe] }), 'admitted')
  const { id } = applicant
  const expected = { networkId: fixture.network.id, id, roles: RELAY.roles, renewal: false, packets: packetsOf(4) }
  assert.deepEqual(seen, [expected])
  assert.equal(await apply({ body: { addresses }, prepare, probes: [probe] }), 'admitted')
  assert.equal(seen.length, 1)
  assert.equal(await apply({ body: RELAY, probes: [probe], isMember: true }), 'admitted')
  assert.equal(seen[1]?.renewal, true)
})

test('the probe of a role may not pass its fault off as an address that was not reached', async () => {
  const { probe } = packetProbe(({ packets }) => unreachable(packets))
  const ofRelay: ConformanceProbe = { ...probe, role: 'relay' }
  assert.equal(await apply({ body: RELAY, probes: [ofRelay] }), 'E_ADMISSION_CONFORMANCE')
})
