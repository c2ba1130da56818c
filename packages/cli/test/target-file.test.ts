import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { TargetFile } from '../src/output/target-file.ts'

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-target-'))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}

const bytes = new TextEncoder().encode('content')

test('a file appears under its name only when it is committed', async (context) => {
  const where = directory(context)
  const path = join(where, 'file')
  {
    await using target = await TargetFile.create(path, false)
    await target.write(bytes)
    assert.deepEqual(
      readdirSync(where).filter((name) => name === 'file'),
      [],
    )
    await target.commit()
  }
  assert.deepEqual(readdirSync(where), ['file'])
  assert.equal(readFileSync(path, 'utf8'), 'content')
  writeFileSync(join(where, 'plain'), '')
  assert.equal(statSync(path).mode, statSync(join(where, 'plain')).mode)
})

test('without a commit nothing is left', async (context) => {
  const where = directory(context)
  await assert.rejects(async () => {
    await using target = await TargetFile.create(join(where, 'file'), false)
    await target.write(bytes)
    throw new Error('broke off')
  }, /broke off/)
  assert.deepEqual(readdirSync(where), [])
})

test('a file that exists is refused at once, and one that appears meanwhile at the end', async (context) => {
  const where = directory(context)
  const path = join(where, 'file')
  await assert.rejects(
    async () => {
      await using target = await TargetFile.create(path, false)
      await target.write(bytes)
      writeFileSync(path, 'theirs')
      await target.commit()
    },
    { code: 'E_FILE_EXISTS' },
  )
  assert.equal(readFileSync(path, 'utf8'), 'theirs')
  await assert.rejects(TargetFile.create(path, false), { code: 'E_FILE_EXISTS' })
  assert.deepEqual(readdirSync(where), ['file'])
  await using forced = await TargetFile.create(path, true)
  await forced.write(bytes)
  await forced.commit()
  assert.equal(readFileSync(path, 'utf8'), 'content')
})

test('a directory in the place of a file is refused at once, also with force, and a link is followed', async (context) => {
  const where = directory(context)
  await assert.rejects(TargetFile.create(where, true), { code: 'E_FILE_WRITE', cause: /is a directory/ })
  writeFileSync(join(where, 'file'), 'old')
  symlinkSync(join(where, 'file'), join(where, 'link'))
  await using target = await TargetFile.create(join(where, 'link'), true)
  await target.write(bytes)
  await target.commit()
  assert.equal(readFileSync(join(where, 'file'), 'utf8'), 'content')
})

test('a directory that is not there is named', async (context) => {
  await assert.rejects(TargetFile.create(join(directory(context), 'none', 'file'), false), { code: 'E_FILE_WRITE' })
})

test('pieces of any length come whole and in order, however many are gathered', async (context) => {
  const path = join(directory(context), 'file')
  const pieces = [0, 1, 700_000, 400_000, 65_536, 0, 3_000_000, 12].map((length, at) => Buffer.alloc(length, at + 1))
  await using target = await TargetFile.create(path, false)
  for (const piece of pieces) await target.write(piece)
  await target.commit()
  assert.equal(Buffer.compare(readFileSync(path), Buffer.concat(pieces)), 0)
})
