import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { SigningKey, sha256 } from '@weft/crypto'
import fc from 'fast-check'
import { STAND_INS, standIns } from '../../src/placement/stand-ins.ts'

const ids = Array.from({ length: 40 }, (_, at) => new SigningKey(sha256(Uint8Array.of(at, 9))).id)
const members = ids.map((id) => ({ id }))
const name = { object: sha256(Uint8Array.of(1)), segment: 3, index: 5 }

test('the order is that of the specification', () => {
  assert.deepEqual(
    standIns(name, new Set(), members.slice(0, 4)).map((id) => ids.indexOf(id)),
    [3, 0, 1, 2],
  )
})

test('each is ranked by the hash that the specification names', () => {
  const rank = (id: string): string =>
    createHash('sha256')
      .update('weft:stand-in:v1\0')
      .update(name.object)
      .update(Buffer.from('0000000300000005', 'hex'))
      .update(id)
      .digest('hex')
  const sorted = ids.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))
  assert.deepEqual(standIns(name, new Set(), members), sorted.slice(0, 8))
})

test('those that the owner chose are none, and there are eight at most', () => {
  const named = new Set(ids.slice(0, 30))
  const found = standIns(name, named, members)
  assert.equal(found.length, STAND_INS)
  assert.ok(found.every((id) => !named.has(id)))
  assert.equal(standIns(name, new Set(ids), members).length, 0)
})

test('each shard has an order of its own; who leaves or joins changes no order among the others', () => {
  assert.notDeepEqual(standIns(name, new Set(), members), standIns({ ...name, index: 6 }, new Set(), members))
  assert.notDeepEqual(standIns(name, new Set(), members), standIns({ ...name, segment: 4 }, new Set(), members))
  fc.assert(
    fc.property(fc.nat({ max: 255 }), fc.subarray(ids, { minLength: 1, maxLength: 20 }), (index, left) => {
      const before = standIns({ ...name, index }, new Set(), members)
      const after = standIns(
        { ...name, index },
        new Set(),
        members.filter(({ id }) => !left.includes(id)),
      )
      const stayed = before.filter((id) => !left.includes(id))
      assert.deepEqual(after.slice(0, stayed.length), stayed)
    }),
  )
})
