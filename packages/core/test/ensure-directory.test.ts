import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ensureDirectory } from '../src/index.ts'

const root = mkdtempSync(join(tmpdir(), 'weft-ensure-directory-'))
after(() => rmSync(root, { recursive: true, force: true }))

describe('ensureDirectory', () => {
  it('makes a directory and its parents for their owner alone, and leaves one that is there', () => {
    const path = join(root, 'a', 'b', 'c')
    ensureDirectory(path)
    for (const part of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(root, part)).mode & 0o777, 0o700)
    ensureDirectory(path)
    const link = join(root, 'link')
    symlinkSync(path, link)
    ensureDirectory(link)
    ensureDirectory(`${path}/d/`)
    assert.ok(statSync(join(link, 'd')).isDirectory())
  })

  it('refuses a path where a file stands, at its end and inside', () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    assert.throws(() => ensureDirectory(file), { code: 'EEXIST' })
    assert.throws(() => ensureDirectory(join(file, 'x')), { code: 'ENOTDIR' })
    assert.throws(() => ensureDirectory(join(file, 'x', 'y')), { code: 'ENOTDIR' })
  })

  it('ends with an error under /proc and for a path without end', () => {
    assert.throws(() => ensureDirectory('/proc/weft/a/b'), { code: 'ENOENT' })
    assert.throws(() => ensureDirectory('/proc/1/weft'), { code: 'ENOENT' })
    assert.throws(() => ensureDirectory(''), { code: 'ENOENT' })
    assert.throws(() => ensureDirectory('a/'.repeat(100_000)), { code: 'ENAMETOOLONG' })
  })
})
