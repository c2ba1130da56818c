import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex, isWeftError, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { LoadListRequestSchema, LoadListResponseSchema, LoadTellRequestSchema, create, encodeMessage } from '@weft/wire'
import fc from 'fast-check'
import { MAX_TOLD, lifeMs, refreshMs } from '../../src/load/load-limits.ts'
import { LoadSchedule } from '../../src/load/load-schedule.ts'
import {
  STATEMENT_LENGTH,
  decodeLoads,
  encodeLoads,
  signLoad,
  slotAt,
  verifyLoad,
} from '../../src/load/load-statement.ts'
import type { LoadStep } from '../../src/load/load-step.ts'

interface Vector {
  readonly network: string
  readonly seeds: readonly string[]
  readonly at: number
  readonly slot: number
  readonly statements: readonly string[]
  readonly firstLook: readonly number[]
  readonly times: readonly { readonly carriers: number; readonly refreshMs: number; readonly lifeMs: number }[]
  readonly messages: Readonly<Record<'tell' | 'ask' | 'list', string>>
}
const vector = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'loads.json'), 'utf8')) as Vector
const keys = vector.seeds.map((seed) => new SigningKey(fromHex(seed)))

test('loads.json: statements, slots, times and messages', () => {
  const { network, at, slot, messages } = vector
  assert.equal(slotAt(at), slot)
  const said = keys.map((key, index) => signLoad(network, slot + index, (index * 4) as LoadStep, key))
  assert.deepEqual(
    said.map((each) => toHex(encodeLoads([each]))),
    vector.statements,
  )
  for (const [index, key] of keys.entries()) {
    const [read] = decodeLoads(fromHex(vector.statements[index] as string), 1)
    assert.deepEqual(read, said[index])
    assert.ok(verifyLoad(network, read as NonNullable<typeof read>, key.publicKey))
    assert.equal(at + new LoadSchedule(key.publicKey, at).wait(at), vector.firstLook[index])
  }
  for (const { carriers, ...times } of vector.times)
    assert.deepEqual({ refreshMs: refreshMs(carriers), lifeMs: lifeMs(carriers) }, times)
  const statements = encodeLoads(said)
  const book = Uint8Array.from({ length: 8 }, (_, index) => index)
  assert.deepEqual(
    {
      tell: toHex(encodeMessage(LoadTellRequestSchema, create(LoadTellRequestSchema, { statements }))),
      ask: toHex(encodeMessage(LoadListRequestSchema, create(LoadListRequestSchema, { book, after: 7n }))),
      list: toHex(
        encodeMessage(
          LoadListResponseSchema,
          create(LoadListResponseSchema, { book, last: 9n, statements, more: true }),
        ),
      ),
    },
    messages,
  )
})

test('a statement is of 77 bytes, and no more of them are read than may be', () => {
  const [key] = keys as [SigningKey]
  const one = signLoad(vector.network, 1, 1, key)
  assert.equal(encodeLoads([one]).length, STATEMENT_LENGTH)
  assert.equal(STATEMENT_LENGTH, 77)
  const many = Array.from({ length: MAX_TOLD + 1 }, () => one)
  assert.equal(decodeLoads(encodeLoads(many.slice(1)), MAX_TOLD).length, MAX_TOLD)
  for (const bytes of [encodeLoads(many), new Uint8Array(76), encodeLoads([{ ...one, step: 5 as LoadStep }])])
    assert.throws(
      () => decodeLoads(bytes, MAX_TOLD),
      (error) => isWeftError(error, 'E_LOAD_MALFORMED'),
    )
})

test('property: what is read is what was written, and holds for its network, slot, step and key alone', () => {
  const [key, other] = keys as [SigningKey, SigningKey]
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 32 - 2 }), fc.nat({ max: 4 }), (slot, step) => {
      const said = signLoad('wone', slot, step as LoadStep, key)
      const [read] = decodeLoads(encodeLoads([said]), 1)
      assert.deepEqual(read, said)
      assert.ok(verifyLoad('wone', said, key.publicKey))
      assert.ok(!verifyLoad('wtwo', said, key.publicKey))
      assert.ok(!verifyLoad('wone', { ...said, slot: slot + 1 }, key.publicKey))
      assert.ok(!verifyLoad('wone', { ...said, step: ((step + 1) % 5) as LoadStep }, key.publicKey))
      assert.ok(!verifyLoad('wone', said, other.publicKey))
    }),
    { numRuns: 30 },
  )
})
