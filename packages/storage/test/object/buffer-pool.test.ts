import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { BufferPool } from '../../src/object/buffer-pool.ts'

const pool = (capacity: number): { buffers: BufferPool; clock: VirtualClock } => {
  const clock = new VirtualClock()
  return { buffers: new BufferPool(capacity, clock), clock }
}

test('what was given back is taken again, unless it is far too large', () => {
  const { buffers } = pool(1_000)
  const first = buffers.take(100)
  buffers.give(first)
  assert.equal(buffers.take(60).buffer, first.buffer)
  buffers.give(first)
  assert.notEqual(buffers.take(40).buffer, first.buffer)
})

test('no more than the capacity is kept free, and other lengths make room for a new one', () => {
  const { buffers } = pool(250)
  const three = [buffers.take(100), buffers.take(100), buffers.take(100)]
  for (const bytes of three) buffers.give(bytes)
  assert.equal(buffers.free, 200)
  const large = buffers.take(150)
  assert.equal(large.length, 150)
  assert.equal(buffers.free, 0)
})

test('free buffers are let go when none was taken for a while', async () => {
  const { buffers, clock } = pool(250)
  buffers.give(buffers.take(100))
  await clock.advance(10_000)
  buffers.give(buffers.take(100))
  await clock.advance(15_000)
  assert.equal(buffers.free, 100)
  await clock.advance(15_000)
  assert.equal(buffers.free, 0)
})

test('what was let go and is not collected yet is taken before new memory is', async () => {
  const { buffers, clock } = pool(250)
  const first = buffers.take(100)
  buffers.give(first)
  await clock.advance(30_000)
  assert.equal(buffers.free, 0)
  assert.notEqual(buffers.take(10).buffer, first.buffer)
  assert.equal(buffers.take(90).buffer, first.buffer)
  assert.notEqual(buffers.take(90).buffer, first.buffer)
})
