import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import { lookupStarts } from '../../src/lookup/lookup-starts.ts'
import type { Member, Membership } from '../../src/member.ts'
import { testNetwork } from '../fixtures.ts'
import { memberOf } from '../records/record-network.ts'

const random = seededRandom(1)
const ids = Array.from({ length: 600 }, () => toDidKey(random.bytes(32)))
const membershipOf = (members: readonly Member[]) => ({ members: () => members }) as Membership

test('a lookup begins with validators for the most part, whoever else is connected', () => {
  const { network } = testNetwork(16)
  const self = ids[0] as (typeof ids)[number]
  const base = { self, network, connected: () => ids.slice(0, 500), random }
  const starts = lookupStarts({ ...base, membership: membershipOf([]) })
  assert.equal(starts.length, 32)
  assert.equal(new Set(starts).size, 32)
  assert.ok(!starts.includes(self))
  assert.ok(starts.slice(0, 8).filter((id) => network.isValidator(id)).length >= 5)
  const members = ids.slice(500).map((id, at) => memberOf(id, at))
  const mapped = lookupStarts({ ...base, membership: membershipOf(members) })
  assert.ok(mapped.slice(0, 8).filter((id) => network.isValidator(id)).length >= 4)
  assert.ok(mapped.slice(0, 8).some((id) => members.some((member) => member.id === id)))
  assert.notDeepEqual(lookupStarts({ ...base, membership: membershipOf(members) }), mapped)
})

test('a node of a network that has nobody but itself begins with nobody', () => {
  const { network } = testNetwork(1, 0)
  const [validator] = network.validators
  const self = validator?.id ?? toDidKey(new Uint8Array(32))
  assert.deepEqual(lookupStarts({ self, network, membership: membershipOf([]), connected: () => [], random }), [])
})
