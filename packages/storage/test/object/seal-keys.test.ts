import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { areSealKeys, openSealKey, sealKeyHolders, wrapSealKey } from '../../src/object/seal-keys.ts'

const random = seededRandom(1)
const keys = Array.from({ length: 20 }, () => new SigningKey(random.bytes(32)))
const validators = keys.map(({ id }) => id)
const object = random.bytes(32)
const sealKey = random.bytes(32)

test('sixteen validators can open the seal key of an object, whatever order they are told in; nobody else', () => {
  const wrapped = wrapSealKey(sealKey, object, validators, random)
  assert.ok(areSealKeys(wrapped))
  const able = keys.filter((key) => openSealKey(wrapped, object, key) !== undefined).map(({ id }) => id)
  assert.equal(able.length, 16)
  for (const key of keys) {
    const opened = openSealKey(wrapped, object, key)
    if (opened !== undefined) assert.deepEqual(opened, sealKey)
  }
  assert.deepEqual(new Set(able), new Set(sealKeyHolders(object, validators.toReversed())))
  assert.notDeepEqual(sealKeyHolders(object, validators), sealKeyHolders(random.bytes(32), validators))
})

test('a wrapped key opens for its object only', () => {
  const wrapped = wrapSealKey(sealKey, object, validators.slice(0, 1), random)
  assert.deepEqual(openSealKey(wrapped, object, keys[0]!), sealKey)
  assert.equal(openSealKey(wrapped, random.bytes(32), keys[0]!), undefined)
})

test('a list that names a validator twice, or is cut off, is none', () => {
  const wrapped = wrapSealKey(sealKey, object, validators.slice(0, 2), random)
  assert.ok(!areSealKeys(wrapped.subarray(1)))
  wrapped.copyWithin(112, 0, 112)
  assert.ok(!areSealKeys(wrapped))
  assert.ok(areSealKeys(wrapSealKey(sealKey, object, [], random)))
})
