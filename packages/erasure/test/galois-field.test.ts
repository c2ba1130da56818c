import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inverse, multiply } from '../src/galois-field.ts'
import { slowMultiply } from './lib/reference.ts'

test('every product equals the one by shift and add', () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) assert.equal(multiply(a, b), slowMultiply(a, b), `${a} times ${b}`)
  }
})

test('every element but 0 times its inverse is 1', () => {
  for (let a = 1; a < 256; a++) assert.equal(slowMultiply(a, inverse(a)), 1)
})

test('what has no inverse is refused', () => {
  for (const a of [0, -1, 256, 1.5, Number.NaN]) assert.throws(() => inverse(a), RangeError)
})
