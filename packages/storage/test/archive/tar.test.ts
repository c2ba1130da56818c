import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { concatBytes, utf8 } from '@weft/core'
import { tarEnd, tarHead, tarPadding } from '../../src/archive/tar-head.ts'
import { readTar } from '../../src/archive/tar-reader.ts'
import { chunksOf } from '../support/test-storage.ts'

interface Written {
  readonly path: string
  readonly bytes: Uint8Array
  readonly records: ReadonlyMap<string, string>
}

function write(members: readonly Written[]): Uint8Array {
  return concatBytes([
    ...members.flatMap(({ path, bytes, records }) => [
      tarHead({ path, size: bytes.length, modifiedAt: 1_700_000_000_000, records }),
      bytes,
      tarPadding(bytes.length),
    ]),
    tarEnd(),
  ])
}

async function read(archive: Uint8Array, chunk = 700): Promise<Written[]> {
  const members: Written[] = []
  for await (const { path, records, body } of readTar(chunksOf(archive, chunk))) {
    const { path: _, size: __, ...others } = Object.fromEntries(records)
    members.push({ path, bytes: concatBytes(await Array.fromAsync(body())), records: new Map(Object.entries(others)) })
  }
  return members
}

const file = (path: string, bytes: Uint8Array, records = new Map<string, string>()): Written => ({
  path,
  bytes,
  records,
})
const MEMBERS = [
  file('a', new Uint8Array(0)),
  file('objects/é ü 名/x'.repeat(20), new Uint8Array(512).fill(7), new Map([['WEFT.member', '{"a":"=\n"}']])),
  file('b', new Uint8Array(1_000).fill(8)),
]

test('members come back as they were written, whatever the chunks', async () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed())
  const members = fc.array(
    fc.record(
      {
        path: name,
        bytes: fc.uint8Array({ maxLength: 2_000 }),
        records: name.map((value) => new Map([['WEFT.member', value]])),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(members, fc.integer({ min: 1, max: 3_000 }), async (given, chunk) => {
      assert.deepEqual(await read(write(given), chunk), given)
    }),
    { numRuns: 100 },
  )
})

test('another tar reads it', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-tar-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'a.tar'), write(MEMBERS))
  const { status, stderr } = spawnSync('tar', ['-xf', 'a.tar'], { cwd: directory, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  for (const { path, bytes } of MEMBERS) assert.deepEqual(new Uint8Array(readFileSync(join(directory, path))), bytes)
})

test('a size that no octal field holds stands in the extended header', async () => {
  const head = tarHead({ path: 'large', size: 2 ** 40, modifiedAt: 0, records: new Map() })
  for await (const { size } of readTar(chunksOf(head, 512))) {
    assert.equal(size, 2 ** 40)
    return
  }
})

test('what is not read of a member is skipped, and read may be in parts', async () => {
  const paths: string[] = []
  for await (const member of readTar(chunksOf(write(MEMBERS), 100))) {
    paths.push(member.path)
    if (member.path !== 'b') continue
    assert.equal(concatBytes(await Array.fromAsync(member.body(300))).length, 300)
    assert.equal(member.read, 300)
    assert.equal(concatBytes(await Array.fromAsync(member.body())).length, 700)
  }
  assert.deepEqual(
    paths,
    MEMBERS.map(({ path }) => path),
  )
})

test('every cut and every changed header is refused in words', async () => {
  const archive = write(MEMBERS)
  const invalid = { code: 'E_ARCHIVE_INVALID' }
  for (let length = 0; length < archive.length; length += 97)
    await assert.rejects(read(archive.slice(0, length)), invalid)
  await assert.rejects(read(concatBytes([archive, Uint8Array.of(1)])), invalid)
  await fc.assert(
    fc.asyncProperty(fc.nat(1_535), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = archive.slice()
      changed[at] = (changed[at] as number) ^ change
      // A byte of the extended header may be another name; all else is seen.
      await read(changed).catch((error: { code?: string }) => assert.equal(error.code, 'E_ARCHIVE_INVALID'))
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 4_000 }), async (bytes) => {
      await assert.rejects(read(bytes), invalid)
    }),
  )
})

test('a header of another kind, one that is too long, and one that says a thing twice are refused', async () => {
  const head = tarHead({ path: 'a', size: 0, modifiedAt: 0, records: new Map() })
  const link = head.slice()
  link[156] = 0x32
  const sum = link.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  link.set(utf8(sum.toString(8).padStart(6, '0')), 148)
  await assert.rejects(read(concatBytes([link, tarEnd()])), { cause: /is of type "2"/ })
  const long = tarHead({ path: 'a', size: 0, modifiedAt: 0, records: new Map([['x', 'x'.repeat(2 ** 20)]]) })
  await assert.rejects(read(concatBytes([long, tarEnd()])), { cause: /at most 1048576/ })
})
