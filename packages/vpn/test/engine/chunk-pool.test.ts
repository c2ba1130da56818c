import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHUNK, ChunkPool } from '../../src/engine/chunk-pool.ts'

test('a chunk is one user’s until it is given back, and few are kept', () => {
  const pool = new ChunkPool()
  const taken = Array.from({ length: 100 }, () => pool.take())
  assert.equal(new Set(taken.map(({ buffer }) => buffer)).size, 100)
  assert.ok(taken.every(({ length }) => length === CHUNK))
  for (const chunk of taken) pool.give(chunk)
  const again = Array.from({ length: 100 }, () => pool.take())
  assert.equal(new Set(again).size, 100)
  assert.equal(again.filter((chunk) => taken.includes(chunk)).length, 32)
})
