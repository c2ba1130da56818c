import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import { LearntMembers } from '../../src/lookup/learnt-members.ts'
import { memberOf } from '../records/record-network.ts'

const random = seededRandom(1)
const ids = Array.from({ length: 1_100 }, () => toDidKey(random.bytes(32)))
const at = (index: number, address: string, certificateEpoch = 1) =>
  memberOf(ids[index] as (typeof ids)[number], index, { addresses: [address], certificateEpoch })

test('a member is dialled where its newest certificate says, learnt or mapped', () => {
  const learnt = new LearntMembers()
  const member = at(0, 'learnt', 5)
  assert.equal(learnt.addresses(member.id, undefined), undefined)
  assert.deepEqual(learnt.addresses(member.id, at(0, 'mapped')), ['mapped'])
  learnt.note([member])
  assert.deepEqual(learnt.addresses(member.id, undefined), ['learnt'])
  assert.deepEqual(learnt.addresses(member.id, at(0, 'mapped', 4)), ['learnt'])
  assert.deepEqual(learnt.addresses(member.id, at(0, 'mapped', 6)), ['mapped'])
  learnt.note([at(0, 'older', 4)])
  assert.deepEqual(learnt.addresses(member.id, undefined), ['learnt'])
})

test('those learnt of longest ago are forgotten first, and there is an end to how many are remembered', () => {
  const learnt = new LearntMembers()
  const all = ids.map((_, index) => at(index, 'here'))
  learnt.note(all.slice(0, 1_024))
  learnt.note(all.slice(0, 1))
  learnt.note(all.slice(1_024))
  assert.notEqual(learnt.addresses(ids[0] as (typeof ids)[number], undefined), undefined)
  assert.equal(learnt.addresses(ids[1] as (typeof ids)[number], undefined), undefined)
  assert.equal(all.filter(({ id }) => learnt.addresses(id, undefined) !== undefined).length, 1_024)
})
