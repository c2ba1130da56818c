import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { VersionMarks } from '../../src/buckets/key-index.ts'
import {
  type VersionMark,
  findMark,
  latestMark,
  marksOf,
  nullMark,
  withMark,
  withoutMark,
} from '../../src/buckets/version-mark.ts'

const mark = (id: number): VersionMark => ({ id, isNull: id % 3 === 0, isDeleteMarker: id % 2 === 0 })

test('marks of a key are those that were added and not taken away, newest first', () => {
  const steps = fc.array(fc.record({ id: fc.integer({ min: 1, max: 40 }), isTaken: fc.boolean() }), { maxLength: 80 })
  fc.assert(
    fc.property(steps, (all) => {
      let marks: VersionMarks | undefined
      const model = new Map<number, VersionMark>()
      for (const { id, isTaken } of all) {
        if (isTaken) marks = withoutMark(marks, id)
        else if (!model.has(id)) marks = withMark(marks, mark(id))
        if (isTaken) model.delete(id)
        else model.set(id, mark(id))
        const sorted = [...model.values()].sort((a, b) => b.id - a.id)
        assert.deepEqual(marksOf(marks), sorted)
        if (marks !== undefined) assert.deepEqual(latestMark(marks), sorted[0])
        assert.deepEqual(findMark(marks, id), model.get(id))
        assert.deepEqual(
          nullMark(marks),
          sorted.find(({ isNull }) => isNull),
        )
        for (const from of [1, 3, 50]) assert.deepEqual(marksOf(marks, from, 5), sorted.slice(from, from + 5))
      }
    }),
  )
})

test('one more version of a key costs the same however many it has: nothing is copied', () => {
  let marks = withMark(withMark(undefined, mark(1)), mark(2))
  const list = marks
  for (let id = 3; id < 1_000; id++) marks = withMark(marks, mark(id))
  assert.equal(marks, list)
  assert.equal(marksOf(marks).length, 999)
  // The newest goes as cheaply: what puts a version in the place of the one named null.
  assert.equal(withoutMark(marks, 999), list)
})
