import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '@weft/core'
import { type EntryList } from '../../src/map/entry-list.ts'
import { atOnce, inSlices } from '../../src/map/in-slices.ts'
import { changeEntries, mapRoot, verifyEntries } from '../../src/map/map-entries.ts'
import { codeOf, testNetwork } from '../fixtures.ts'
import { ManyEntries, mapBodyOf } from './many-entries.ts'

const { network } = testNetwork(1, 0)
const amount = fc.nat({ max: 12 })
const change = fc.record({ renewed: amount, left: amount, come: amount })

function listOf(entries: readonly Uint8Array[], known?: EntryList): EntryList {
  return atOnce(verifyEntries(mapBodyOf(network, entries, 1), entries, known))
}

test('a list that is read by way of another is the same as one read anew, and shares what is the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 13, max: 60 }), change, fc.nat(), (count, what, seed) => {
      const many = new ManyEntries(network.id, count, seed)
      const before = listOf(many.entries())
      many.change(what, 2)
      const entries = many.entries()
      const after = listOf(entries, before)
      assert.deepEqual(after.entries, listOf(entries).entries)
      assert.deepEqual(after.bytes(), entries)
      assert.equal(toHex(after.root), toHex(mapRoot(entries)))
      const old = new Map(before.entries.map((entry) => [toHex(entry.leaf), entry]))
      for (const entry of after.entries) assert.equal(entry, old.get(toHex(entry.leaf)) ?? entry)
      for (const { id } of after.members) assert.equal(after.member(id)?.id, id)
    }),
    { numRuns: 12 },
  )
})

test('changes make the next list of one, and nothing else does', async () => {
  const many = new ManyEntries(network.id, 40)
  const held = listOf(many.entries())
  const gone = many.entries()
  many.change({ renewed: 3, left: 2, come: 4 }, 2)
  const entries = many.entries()
  const body = mapBodyOf(network, entries, 2)
  const known = new Set(gone.map(toHex))
  const fresh = entries.filter((bytes) => !known.has(toHex(bytes)))
  const after = listOf(entries)
  const removed = held.entries.map(({ key }) => key).filter((key) => after.byKey(key) === undefined)
  const apply = (changes: { removed: readonly Uint8Array[]; entries: readonly Uint8Array[] }): Promise<string> =>
    codeOf(() => atOnce(changeEntries(body, held, changes)))
  assert.deepEqual(atOnce(changeEntries(body, held, { removed, entries: fresh })).bytes(), entries)
  const unknown = new Uint8Array(32).fill(9)
  assert.equal(await apply({ removed: [...removed, unknown, unknown], entries: fresh }), 'nothing', 'a key of nobody')
  for (const changes of [
    { removed, entries: fresh.slice(1) },
    { removed: removed.slice(1), entries: fresh },
    { removed: [...removed, held.entries[0]?.key as Uint8Array], entries: fresh },
    { removed, entries: fresh.toReversed() },
    { removed, entries: [...fresh, fresh.at(-1) as Uint8Array] },
    { removed, entries: [...fresh.slice(1), gone[0] as Uint8Array] },
    { removed: [], entries: [] },
  ]) {
    assert.equal(await apply(changes), 'E_MAP_ENTRIES')
  }
  assert.equal(await apply({ removed, entries: [...fresh, Uint8Array.of(1)] }), 'E_CERTIFICATE_MALFORMED')
})

test('entries of another network are refused though their root fits', async () => {
  const entries = new ManyEntries(testNetwork(1, 0).network.id, 3).entries()
  assert.equal(await codeOf(() => listOf(entries)), 'E_MAP_ENTRIES')
})

test('the reading of a large list lets others have the thread, and stops when it is no longer wanted', async () => {
  const entries = new ManyEntries(network.id, 1_000).entries()
  const reading = verifyEntries(mapBodyOf(network, entries, 1), entries, undefined)
  let turns = 0
  const count = (): void => {
    turns++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  const list = await inSlices(reading, new AbortController().signal)
  clearImmediate(immediate)
  assert.equal(list.count, 1_000)
  assert.ok(turns >= 7, `${turns} turns`)
  const again = verifyEntries(mapBodyOf(network, entries, 1), entries, undefined)
  assert.equal(await codeOf(() => inSlices(again, AbortSignal.abort())), 'E_ABORTED')
})
