import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import fc from 'fast-check'
import { compareKeys } from '../../src/buckets/compare-keys.ts'
import { KeyIndex } from '../../src/buckets/key-index.ts'

const unit = fc.constantFrom('a', 'b', '/', '\u007f', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '𐀀')
const key = fc.array(unit, { minLength: 1, maxLength: 5 }).map((units) => units.join(''))

test('keys are in the order of their UTF-8 bytes', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(utf8(a), utf8(b)))
    }),
    { numRuns: 2_000 },
  )
})

test('an index is a sorted map, over many chunks as in one', () => {
  const many = fc.array(fc.record({ at: fc.nat({ max: 3_000 }), key, drop: fc.boolean() }), {
    minLength: 1,
    maxLength: 200,
  })
  fc.assert(
    fc.property(many, key, fc.boolean(), (changes, from, isLarge) => {
      const index = new KeyIndex()
      const model = new Map<string, number>()
      const set = (name: string, value: number | undefined): void => {
        index.set(name, value)
        if (value === undefined) model.delete(name)
        else model.set(name, value)
      }
      if (isLarge) for (let at = 0; at < 1_500; at++) set(`b${(at * 7_919) % 3_001}`, at)
      for (const { at, key: text, drop } of changes) set(isLarge ? `b${at}` : text, drop ? undefined : at)
      const sorted = [...model].sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)))
      assert.equal(index.size, model.size)
      const seen: [string, unknown][] = []
      for (let place = index.seek(() => false); place !== undefined; place = place.next()) {
        seen.push([place.key, place.marks])
      }
      assert.deepEqual(seen, sorted)
      assert.equal(
        index.seek((other) => compareKeys(other, from) < 0)?.key,
        sorted.find(([a]) => compareKeys(a, from) >= 0)?.[0],
      )
      for (const [name, value] of sorted.slice(0, 20)) assert.equal(index.get(name), value)
      assert.equal(index.get('no such key'), undefined)
      for (const [name] of sorted) index.set(name, undefined)
      assert.equal(index.size, 0)
      assert.equal(
        index.seek(() => false),
        undefined,
      )
    }),
    { numRuns: 60 },
  )
})
