import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FULL_MESH, neighbourName, neighboursOf, whoMayKeep } from '../../src/peers/neighbours.ts'
import { testKeys } from '../fixtures.ts'

const ids = testKeys(200).map(({ id }) => id)

test('while the members are few everybody keeps everybody, and the validators before any map', () => {
  const few = ids.slice(0, FULL_MESH)
  assert.equal(neighboursOf(few[0] as never, few, []).size, FULL_MESH - 1)
  assert.deepEqual([...neighboursOf(few[0] as never, [], few.slice(0, 3))], few.slice(1, 3))
})

test('in a large network a node keeps some nearest members and the validators', () => {
  const validators = ids.slice(0, 4)
  const mine = neighboursOf(ids[9] as never, ids, validators)
  assert.ok(mine.size >= FULL_MESH && mine.size <= FULL_MESH + 4)
  for (const id of validators) assert.ok(mine.has(id))
  assert.equal(mine.has(ids[9] as never), false)
})

test('members that were ranked before are chosen as if they were ranked anew, and those that left are forgotten', () => {
  const [self] = ids as [(typeof ids)[0]]
  const ranks = new Map<string, number>()
  for (const members of [ids.slice(0, 150), ids.slice(20), ids.slice(0, 100)]) {
    assert.deepEqual(neighboursOf(self, members, [], ranks), neighboursOf(self, members, []))
    assert.equal(ranks.size, members.filter((id) => id !== self).length)
  }
})

test('a node can tell who keeps a connection to whom: nearly all who do, and not many who do not', () => {
  const validators = new Set(ids.slice(0, 2))
  const kept = new Map(ids.map((id) => [id, neighboursOf(id, ids, [...validators])]))
  const self = ids[9] as (typeof ids)[0]
  const mayKeep = whoMayKeep(self, kept.get(self) ?? new Set(), validators)
  const told = { rightly: 0, wrongly: 0, missed: 0 }
  for (const [keeper, theirs] of kept) {
    for (const id of ids) {
      if (id === keeper) continue
      if (mayKeep(keeper, id)) told[theirs.has(id) ? 'rightly' : 'wrongly']++
      else if (theirs.has(id)) told.missed++
    }
  }
  assert.ok(told.missed < told.rightly / 50, JSON.stringify(told))
  assert.ok(told.wrongly < told.rightly, JSON.stringify(told))
  for (const id of validators) assert.ok(mayKeep(ids[50] as typeof id, id))
})

test('who has a position by beacon is ranked by it: its key says nothing of its neighbours', () => {
  const [self] = ids as [(typeof ids)[0]]
  const names = new Map(ids.map((id, at) => [id, neighbourName(id, { position: new Uint8Array(32).fill(at) })]))
  const nameOf = (id: (typeof ids)[0]): string => names.get(id) ?? id
  const placed = neighboursOf(self, ids, [], new Map(), nameOf)
  assert.notDeepEqual(placed, neighboursOf(self, ids, []))
  const mayKeep = whoMayKeep(self, placed, new Set(), nameOf)
  assert.ok([...placed].every((id) => mayKeep(self, id)))
  assert.equal(neighbourName(self, undefined), self)
})
