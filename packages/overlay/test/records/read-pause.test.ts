import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReadPause } from '../../src/records/read-pause.ts'

test('begins with 50 ms, follows what reads take, and stays between 20 and 500 ms', () => {
  const pause = new ReadPause()
  assert.equal(pause.ms, 50)
  for (let i = 0; i < 100; i++) pause.note(2)
  assert.equal(pause.ms, 20)
  for (let i = 0; i < 100; i++) pause.note(150)
  assert.ok(pause.ms > 150 && pause.ms < 200, String(pause.ms))
  for (let i = 0; i < 100; i++) pause.note(5_000)
  assert.equal(pause.ms, 500)
})

test('is longer than any read of a steady network, within its bounds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 400 }), fc.integer({ min: 2, max: 200 }), (duration, reads) => {
      const pause = new ReadPause()
      for (let i = 0; i < reads; i++) pause.note(duration)
      assert.ok(pause.ms >= duration && pause.ms <= 500)
    }),
  )
})
