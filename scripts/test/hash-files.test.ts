import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashFiles } from '../lib/hash-files.ts'
import { PlantedTree } from './planted-tree.ts'

test('the hash follows content, names, order of content and salt, and nothing else', () => {
  using tree = new PlantedTree({ a: 'one', b: 'two', c: 'one', ab: '' })
  const hash = (files: string[], salt: string[] = []): string => hashFiles(tree.root, files, salt)
  const base = hash(['a', 'b'])
  assert.equal(hash(['a', 'b']), base)
  for (const other of [
    hash(['c', 'b']),
    hash(['b', 'a']),
    hash(['a']),
    hash(['a', 'b'], ['x']),
    hash(['a', 'b', 'ab']),
  ]) {
    assert.notEqual(other, base)
  }
  tree.write('a', 'One')
  assert.notEqual(hash(['a', 'b']), base)
})
