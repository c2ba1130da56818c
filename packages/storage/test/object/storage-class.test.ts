import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STORAGE_CLASSES, defaultClass, storageClass } from '../../src/object/storage-class.ts'

test('the default grows with the network and never asks for more nodes than there are from nine on', () => {
  const names = [0, 9, 14, 15, 29, 30, 79, 80, 10_000].map((nodes) => defaultClass(nodes).name)
  assert.deepEqual(names, ['tiny', 'tiny', 'tiny', 'small', 'small', 'medium', 'medium', 'standard', 'standard'])
  for (let nodes = 9; nodes < 200; nodes++) assert.ok(defaultClass(nodes).n <= nodes)
})

test('every class has its name, and no other name is one', () => {
  for (const stored of STORAGE_CLASSES) assert.equal(storageClass(stored.name), stored)
  assert.throws(() => storageClass('toString'), { code: 'E_CLASS_UNKNOWN' })
})
