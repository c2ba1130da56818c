import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ObjectSegment } from '../../src/object/object-records.ts'
import { RecordsAhead } from '../../src/object/records-ahead.ts'

const record = (index: number): ObjectSegment => ({ index, length: 1, shardLength: 1, shards: [], quorum: true })

test('each record is read once, in order, and at most two before they are asked for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 12 }), async (count) => {
      const read: number[] = []
      const records = new RecordsAhead(count, async (index) => {
        read.push(index)
        return record(index)
      })
      assert.deepEqual(read, [])
      for (let index = 0; index < count; index++) {
        assert.equal((await records.next()).index, index)
        assert.equal(read.length, Math.min(count, index + 3))
      }
      assert.deepEqual(
        read,
        Array.from({ length: count }, (_, index) => index),
      )
      await assert.rejects(records.next(), RangeError)
    }),
  )
})

test('a record that cannot be read fails whoever asks for it, and nobody else', async () => {
  const records = new RecordsAhead(3, async (index) => {
    if (index !== 0) throw new Error(`no ${index}`)
    return record(index)
  })
  assert.equal((await records.next()).index, 0)
  await assert.rejects(records.next(), /no 1/)
  await assert.rejects(records.next(), /no 2/)
})
