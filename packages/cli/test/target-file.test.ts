import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { TargetFile } from '../src/output/target-file.ts'

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-target-'))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}

/** Anew each time: what is written is freed. */
const content = (): Uint8Array => new TextEncoder().encode('content')

test('a file appears under its name only when it is committed', async (context) => {
  const where = directory(context)
  const path = join(where, 'file')
  {
    await using target = await TargetFile.create(path, { force: false })
    await target.write(content())
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
    await using target = await TargetFile.create(join(where, 'file'), { force: false })
    await target.write(content())
    throw new Error('broke off')
  }, /broke off/)
  assert.deepEqual(readdirSync(where), [])
})

test('a file that exists is refused at once, and one that appears meanwhile at the end', async (context) => {
  const where = directory(context)
  const path = join(where, 'file')
  await assert.rejects(
    async () => {
      await using target = await TargetFile.create(path, { force: false })
      await target.write(content())
      writeFileSync(path, 'theirs')
      await target.commit()
    },
    { code: 'E_FILE_EXISTS' },
  )
  assert.equal(readFileSync(path, 'utf8'), 'theirs')
  await assert.rejects(TargetFile.create(path, { force: false }), { code: 'E_FILE_EXISTS' })
  assert.deepEqual(readdirSync(where), ['file'])
  await using forced = await TargetFile.create(path, { force: true })
  await forced.write(content())
  await forced.commit()
  assert.equal(readFileSync(path, 'utf8'), 'content')
})

test('a directory in the place of a file is refused at once, also with force, and a link is followed', async (context) => {
  const where = directory(context)
  await assert.rejects(TargetFile.create(where, { force: true }), { code: 'E_FILE_WRITE', cause: /is a directory/ })
  writeFileSync(join(where, 'file'), 'old')
  symlinkSync(join(where, 'file'), join(where, 'link'))
  await using target = await TargetFile.create(join(where, 'link'), { force: true })
  await target.write(content())
  await target.commit()
  assert.equal(readFileSync(join(where, 'file'), 'utf8'), 'content')
})

test('a directory that is not there is named', async (context) => {
  await assert.rejects(TargetFile.create(join(directory(context), 'none', 'file'), { force: false }), {
    code: 'E_FILE_WRITE',
  })
})

test('pieces of any length come whole and in order, however many are gathered', async (context) => {
  const path = join(directory(context), 'file')
  const pieces = [0, 1, 700_000, 400_000, 65_536, 0, 3_000_000, 12].map((length, at) => Buffer.alloc(length, at + 1))
  const whole = Buffer.concat(pieces)
  await using target = await TargetFile.create(path, { force: false })
  for (const piece of pieces) await target.write(piece)
  await target.commit()
  assert.ok(readFileSync(path).equals(whole))
})

test('a large file is whole although the disk took most of it on the way, and what was written is freed', async (context) => {
  const path = join(directory(context), 'file')
  const pieces = Array.from({ length: 40 }, (_, at) => new Uint8Array(1024 * 1024).fill(at))
  const whole = Buffer.concat(pieces)
  {
    await using target = await TargetFile.create(path, { force: false })
    for (const piece of pieces) await target.write(piece)
    await target.commit()
  }
  assert.ok(pieces.every(({ length }) => length === 0))
  assert.ok(readFileSync(path).equals(whole))
})

test('a disk that fails while more arrives fails the file, although the last sync is well', async (context) => {
  const where = directory(context)
  const probe = await open(join(where, 'probe'), 'w')
  await probe.close()
  context.mock.method(Object.getPrototypeOf(probe) as FileHandle, 'datasync', async () => {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  })
  await assert.rejects(
    async () => {
      await using target = await TargetFile.create(join(where, 'file'), { force: false })
      for (let at = 0; at < 20; at++) await target.write(new Uint8Array(1024 * 1024))
      await target.commit()
    },
    { code: 'E_FILE_WRITE' },
  )
  assert.deepEqual(readdirSync(where), ['probe'])
})
