import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { replaceDirectory, restoreDirectory } from '../lib/replace-directory.ts'
import { PlantedTree } from './planted-tree.ts'

test('the new directory takes the place of the old, of which nothing stays', () => {
  using tree = new PlantedTree({ 'dist/old': '1', 'staged/new': '2' })
  replaceDirectory(join(tree.root, 'dist'), join(tree.root, 'staged'))
  assert.equal(readFileSync(join(tree.root, 'dist/new'), 'utf8'), '2')
  assert.deepEqual(
    ['dist/old', 'dist.old', 'staged'].filter((path) => existsSync(join(tree.root, path))),
    [],
  )
})

test('a replacement that was cut off half-way is undone', () => {
  using tree = new PlantedTree({ 'dist/old': '1' })
  const dist = join(tree.root, 'dist')
  renameSync(dist, `${dist}.old`)
  restoreDirectory(dist)
  assert.equal(readFileSync(join(dist, 'old'), 'utf8'), '1')
})

test('a whole directory is left as it is', () => {
  using tree = new PlantedTree({ 'dist/new': '2', 'dist.old/old': '1' })
  restoreDirectory(join(tree.root, 'dist'))
  assert.ok(existsSync(join(tree.root, 'dist/new')))
})
