import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { recordQuorum } from '../../src/records/quorum.ts'
import { readWaves } from '../../src/records/read-waves.ts'
import type { HolderGroup, RecordPlan } from '../../src/records/record-placement.ts'

const id = (at: number): DidKey => `did:key:z${at}` as DidKey

/** The holders by the newest map and by earlier ones. */
function planOf(lists: readonly (readonly number[])[]): RecordPlan {
  const groups = lists.map((list): HolderGroup => {
    const { required, faults } = recordQuorum(list.length)
    return { ids: new Set(list.map(id)), required, faults }
  })
  const readers = [...new Set(lists.flat())].map(id)
  return { holders: lists[0]!.map(id), readers, groups: groups as unknown as RecordPlan['groups'] }
}

const ten = planOf([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
const nobody = (): boolean => false

test('asks as many as a quorum has, beginning with the nearest, and another one each time', () => {
  const names = (turn: number): DidKey[][] =>
    readWaves(ten, { late: nobody, turn, immutable: false }).map(({ holders }) => [...holders])
  assert.deepEqual(names(0), [[0, 1, 2, 3, 4, 5, 6].map(id), [7, 8, 9].map(id)])
  assert.deepEqual(names(8), [[8, 9, 0, 1, 2, 3, 4].map(id), [5, 6, 7].map(id)])
})

test('asks two first for what may be immutable, and those that were late last', () => {
  const waves = readWaves(ten, { late: (holder) => holder === id(0), turn: 0, immutable: true })
  assert.deepEqual(
    waves.map(({ holders, impatient }) => [holders, impatient ?? false]),
    [
      [[1, 2].map(id), true],
      [[3, 4, 5, 6, 7].map(id), false],
      [[8, 9, 0].map(id), false],
    ],
  )
})

test('every reader is in one wave, and the waves before the last hold a quorum of each group', () => {
  const list = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(
      fc.array(list, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.boolean(),
      fc.uniqueArray(fc.nat(30)),
      (lists, turn, immutable, late) => {
        const plan = planOf(lists)
        const waves = readWaves(plan, { late: (holder) => late.map(id).includes(holder), turn, immutable })
        assert.deepEqual(waves.flatMap(({ holders }) => holders).toSorted(), plan.readers.toSorted())
        const first = new Set(waves.slice(0, immutable ? 2 : 1).flatMap(({ holders }) => holders))
        for (const { ids, required } of plan.groups) assert.ok(ids.intersection(first).size >= required)
      },
    ),
  )
})

test('nobody to ask makes no wave', () => {
  const plan = {
    holders: [],
    readers: [],
    groups: [{ ids: new Set(), required: 0, faults: 0 }],
  } as unknown as RecordPlan
  assert.deepEqual(readWaves(plan, { late: nobody, turn: 3, immutable: true }), [])
})
