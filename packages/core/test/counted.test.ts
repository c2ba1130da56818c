import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counted } from '../src/counted.ts'

test('one is told in the singular, all else in the plural', () => {
  assert.deepEqual(
    [0, 1, 2, 21].map((count) => counted(count, 'segment')),
    ['0 segments', '1 segment', '2 segments', '21 segments'],
  )
  assert.deepEqual(
    [1, 2].map((count) => counted(count, 'process', 'processes')),
    ['1 process', '2 processes'],
  )
})
