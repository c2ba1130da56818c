import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { LoadBook } from '../../src/load/load-book.ts'
import { AHEAD_MS, SLOT_MS, lifeMs } from '../../src/load/load-limits.ts'
import { type LoadStatement, slotAt } from '../../src/load/load-statement.ts'
import type { LoadStep } from '../../src/load/load-step.ts'
import { BEGIN, memberOf } from './load-network.ts'

const keys = [1, 2, 3, 4].map((fill) => new SigningKey(new Uint8Array(32).fill(fill)))
const ids = keys.map(({ id }) => id)
const said = (index: number, slot: number, step: LoadStep): LoadStatement => ({
  prefix: (keys[index] as SigningKey).publicKey.slice(0, 8),
  slot,
  step,
  signature: new Uint8Array(64),
})

function bookOfAll(): LoadBook {
  const book = new LoadBook()
  book.setMembers(ids.map((id) => memberOf(id, ['exit'])))
  return book
}

test('a statement is news from 30 s before its slot until it is too old', () => {
  const book = bookOfAll()
  const slot = slotAt(BEGIN)
  const one = said(0, slot, 1)
  const id = ids[0] as (typeof ids)[number]
  const at = slot * SLOT_MS
  assert.ok(!book.isNews(id, one, at - AHEAD_MS - 1))
  assert.ok(book.isNews(id, one, at - AHEAD_MS))
  assert.ok(book.isNews(id, one, at + lifeMs(4)))
  assert.ok(!book.isNews(id, one, at + lifeMs(4) + 1))
  book.put(id, one)
  assert.deepEqual(book.get(id, at - 5_000), { step: 1, ageMs: 0 })
  assert.deepEqual(book.get(id, at + 5_000), { step: 1, ageMs: 5_000 })
  assert.equal(book.get(id, at + lifeMs(4) + 1), undefined)
})

test('of two nodes whose keys begin alike neither counts, and of one slot all nodes keep the same step', () => {
  const book = bookOfAll()
  assert.equal(book.signerOf(said(1, 1, 1)), ids[1])
  assert.equal(book.signerOf({ ...said(1, 1, 1), prefix: new Uint8Array(8) }), undefined)
  book.setMembers([...ids, ids[1] as (typeof ids)[number]].map((id) => memberOf(id, ['exit'])))
  assert.equal(book.signerOf(said(1, 1, 1)), undefined)
  assert.equal(book.carriers, 3)
})

test('property: whatever comes in whatever order, of each node the newest of the highest step is kept, and nothing else', () => {
  const statement = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 4 }), fc.nat({ max: 4 }))
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 60 }), (all) => {
      const book = bookOfAll()
      const newest = new Map<number, readonly [number, number]>()
      for (const [index, slot, step] of all) {
        const id = ids[index] as (typeof ids)[number]
        const one = said(index, slotAt(BEGIN) + slot, step as LoadStep)
        const held = newest.get(index)
        const isNews = held === undefined || slot > held[0] || (slot === held[0] && step > held[1])
        assert.equal(book.isNews(id, one, BEGIN + 30_000), isNews)
        if (!isNews) continue
        newest.set(index, [slot, step])
        assert.equal(book.put(id, one), held?.[1] !== step)
      }
      assert.deepEqual(
        new Map([...book.all(BEGIN + 30_000)].map(([id, { step }]) => [id, step])),
        new Map([...newest].map(([index, [, step]]) => [ids[index], step])),
      )
    }),
  )
})

test('property: page by page a reader comes to the whole book, whatever is taken in between', () => {
  const entry = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 4 }))
  fc.assert(
    fc.property(
      fc.array(fc.array(entry, { maxLength: 6 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 3 }),
      (rounds, page) => {
        const book = bookOfAll()
        const read = new Map<string, number>()
        let after = 0
        let slot = slotAt(BEGIN)
        for (const round of [...rounds, []]) {
          for (const [index, step] of round)
            book.put(ids[index] as (typeof ids)[number], said(index, slot++, step as LoadStep))
          for (let more = true; more;) {
            const answer = book.since(after, page)
            assert.ok(answer.statements.length <= page)
            for (const each of answer.statements) read.set(book.signerOf(each) as string, each.step)
            ;({ last: after, more } = answer)
          }
          assert.deepEqual(read, new Map([...book.all(BEGIN)].map(([id, { step }]) => [id as string, step as number])))
        }
      },
    ),
  )
})
