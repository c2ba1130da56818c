import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { BlobNote } from '../../src/blobs/blob-note.ts'
import { BlobNotes, readNotes } from '../../src/blobs/blob-notes.ts'
import { Sequence } from '../../src/blobs/sequence.ts'

const random = seededRandom(11)

function directoryOf(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-notes-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function notesOf(directory: string): Promise<{ note: BlobNote; sequence: number }[]> {
  return Array.fromAsync(readNotes(directory))
}

const commitOf = (object: Uint8Array): BlobNote => ({ kind: 'commit', object, peer: 'a', expiresAt: 5 })

test('notes are read as they were made, over restarts and behind a torn one', async (context) => {
  const directory = directoryOf(context)
  const deletion = { shards: 1, bytes: 2 ** 40, at: 3, until: 2 ** 53 - 1 }
  const notes: readonly BlobNote[] = [
    commitOf(random.bytes(32)),
    { kind: 'drop', object: random.bytes(32), peer: 'b' },
    { kind: 'gone', object: random.bytes(32) },
    { kind: 'removed', object: random.bytes(32), account: '~c', deletion },
  ]
  for (const [at, note] of notes.entries()) {
    await using file = await BlobNotes.open(directory, new Sequence(at + 1), () => [])
    await file.add(note)
    appendFileSync(join(directory, 'notes.log'), 'torn by a kill')
  }
  const read = await notesOf(directory)
  assert.deepEqual(
    read.map(({ note }) => note),
    notes,
  )
  assert.deepEqual(
    read.map(({ sequence }) => sequence),
    [1, 2, 3, 4].map((opens) => opens * 2 ** 32 + 1),
  )
})

test('a file that is written anew has the notes of objects that are there, and none that comes meanwhile is lost', async (context) => {
  const directory = directoryOf(context)
  const objects = Array.from({ length: 2_000 }, () => random.bytes(32))
  const kept = new Set(objects.slice(0, 700).map((object) => object.toHex()))
  const late = Array.from({ length: 300 }, () => random.bytes(32))
  for (const object of late) kept.add(object.toHex())
  const isKept = (object: Uint8Array): boolean => kept.has(object.toHex())
  const path = join(directory, 'notes.log')
  {
    await using file = await BlobNotes.open(directory, new Sequence(1), () => objects.map(commitOf))
    const before = statSync(path).size
    const compacting = file.compact(isKept)
    await Promise.all(
      late.map(async (object, at) => {
        // Some before, some in the middle, some behind.
        for (let turn = 0; turn < at / 10; turn++) await new Promise((resolve) => setImmediate(resolve))
        await file.add(commitOf(object))
      }),
    )
    await compacting
    assert.ok(statSync(path).size < before)
    await file.compact(isKept)
  }
  const read = await notesOf(directory)
  assert.deepEqual(new Set(read.map(({ note }) => note.object.toHex())), kept)
  assert.equal(read.length, kept.size)
  const sequences = read.map(({ sequence }) => sequence)
  assert.deepEqual(
    sequences,
    sequences.toSorted((a, b) => a - b),
  )
})

test('a file is long when it has grown much beyond what it was, over a restart as well', async (context) => {
  const directory = directoryOf(context)
  const objects = Array.from({ length: 45_000 }, () => random.bytes(32))
  {
    await using file = await BlobNotes.open(directory, new Sequence(1), () => [])
    await Promise.all(objects.map((object) => file.add(commitOf(object))))
    assert.equal(file.isLong, true)
    await file.compact(() => true)
    assert.equal(file.isLong, false)
  }
  await using again = await BlobNotes.open(directory, new Sequence(2), () => [])
  assert.equal(again.isLong, false)
})
