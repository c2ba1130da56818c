import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { changeEntries, verifyEntries } from '../../src/map/map-entries.ts'
import { MapHistory, changedKeys } from '../../src/map/map-history.ts'
import { testNetwork } from '../fixtures.ts'
import { ManyEntries, mapBodyOf } from './many-entries.ts'

const { network } = testNetwork(1, 0)
const amount = fc.nat({ max: 4 })
const change = fc.record({ renewed: amount, left: amount, come: amount })

function listOf(many: ManyEntries, known?: EntryList): EntryList {
  const entries = many.entries()
  return atOnce(verifyEntries(mapBodyOf(network, entries, 1), entries, known))
}

test('what is told of any map back makes the newest one of it', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), (steps, seed) => {
      const many = new ManyEntries(network.id, 80, seed)
      const history = new MapHistory()
      const lists = [listOf(many)]
      for (const [epoch, what] of steps.entries()) {
        const before = lists.at(-1) as EntryList
        many.change(what, epoch + 1)
        const after = listOf(many, before)
        if (Buffer.compare(before.root, after.root) === 0) continue
        history.note(before.root, changedKeys(before, after), after.count)
        lists.push(after)
      }
      const now = lists.at(-1) as EntryList
      let told = 0
      for (const list of lists.slice(0, -1)) {
        const changes = history.changes(list.root, now)
        if (changes === undefined) continue
        told++
        const made = atOnce(changeEntries(mapBodyOf(network, now.bytes(), 1), list, changes))
        assert.deepEqual(made.bytes(), now.bytes())
      }
      assert.ok(lists.length === 1 || told > 0)
    }),
    { numRuns: 12 },
  )
})

test('a map that is not known, or too far back, has no answer', () => {
  const many = new ManyEntries(network.id, 200)
  const history = new MapHistory()
  let before = listOf(many)
  const roots: Uint8Array[] = []
  for (let epoch = 1; epoch <= 70; epoch++) {
    roots.push(before.root)
    many.change({ renewed: 2 }, epoch)
    const after = listOf(many, before)
    history.note(before.root, changedKeys(before, after), after.count)
    before = after
  }
  const known = roots.map((root) => history.changes(root, before) !== undefined)
  assert.deepEqual(
    known,
    roots.map((_, at) => at >= 70 - 64),
  )
  assert.equal(history.changes(new Uint8Array(32), before), undefined)
  const last = roots.at(-2) as Uint8Array
  assert.equal(history.changes(last, before, 4)?.entries.length, 4)
  assert.equal(history.changes(last, before, 3), undefined, 'more keys than are asked for')
  // As many changes as the map has entries are forgotten, oldest first.
  many.change({ renewed: 150 }, 71)
  const after = listOf(many, before)
  history.note(before.root, changedKeys(before, after), after.count)
  const left = roots.filter((root) => history.changes(root, after) !== undefined)
  assert.ok(left.length < 64)
  assert.notEqual(history.changes(before.root, after), undefined)
})

test('what two lists differ by is the same however often and of whatever else it was asked', () => {
  const many = new ManyEntries(network.id, 50)
  const first = listOf(many)
  many.change({ renewed: 3, left: 1 }, 1)
  const second = listOf(many, first)
  many.change({ renewed: 2, come: 2 }, 2)
  const third = listOf(many, second)
  const [far, near] = [changedKeys(first, third), changedKeys(second, third)]
  assert.equal(near.length, 4)
  assert.notDeepEqual(far, near)
  assert.deepEqual(changedKeys(first, third), far)
  assert.deepEqual(changedKeys(third, second), near)
  assert.equal(changedKeys(first, third), changedKeys(first, third), 'found once')
})
