import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { putRequest } from '../../src/object/put-request.ts'

const DAY = 86_400_000
const refused = (error: unknown): boolean => isWeftError(error, 'E_PUT_OPTION')

test('the life of an object is bounded, for a node outside of the map before it sends anything', () => {
  assert.equal(putRequest({}, 'abcdefghij', false).ttlMs, 30 * DAY)
  assert.equal(putRequest({ ttlMs: 365 * DAY }, 'a', true).ttlMs, 365 * DAY)
  assert.throws(() => putRequest({ ttlMs: 365 * DAY + 1 }, 'a', true), refused)
  assert.equal(putRequest({ ttlMs: 31 * DAY }, 'a', false).ttlMs, 31 * DAY)
  assert.throws(() => putRequest({ ttlMs: 31 * DAY + 1 }, 'a', false), refused)
  for (const ttlMs of [0, 59_999, 1e6 + 0.5, Number.NaN]) assert.throws(() => putRequest({ ttlMs }, 'a', true), refused)
})

test('a name is well-formed text of some length, and the first of the object unless it is told', () => {
  assert.equal(putRequest({}, 'abcdefghij', true).name, 'abcdefgh')
  assert.equal(putRequest({ name: 'notes.tar' }, 'a', true).name, 'notes.tar')
  for (const name of ['', 'x'.repeat(1025), '\ud800']) assert.throws(() => putRequest({ name }, 'a', true), refused)
  for (const size of [-1, 0.5, 2 ** 53]) assert.throws(() => putRequest({ size }, 'a', true), refused)
})
