import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import type { BlobNote } from '../../src/blobs/blob-note.ts'
import { BlobNotes, readNotes } from '../../src/blobs/blob-notes.ts'
import { type FoundNote, isCommitted } from '../../src/blobs/found-notes.ts'
import { Sequence } from '../../src/blobs/sequence.ts'

function directoryOf(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-notes-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** The notes of an object as a lost index is made anew from them. */
async function foundIn(directory: string, object: Uint8Array): Promise<FoundNote[]> {
  const all = await Array.fromAsync(readNotes(directory))
  return all
    .filter(({ note }) => note.object.toHex() === object.toHex())
    .map(({ note, sequence }) => ({
      kind: note.kind,
      sequence,
      peer: 'peer' in note ? note.peer : 'account' in note ? note.account : '',
      expires_at: note.kind === 'commit' ? note.expiresAt : 0,
    }))
    .sort((a, b) => a.sequence - b.sequence)
}

function expiryOf(notes: readonly FoundNote[]): number {
  return notes.reduce((most, { kind, expires_at: at }) => {
    return kind === 'gone' || kind === 'removed' ? 0 : Math.max(most, at)
  }, 0)
}

test('commits of one object, however often they are made again, take no room for good', async (context) => {
  const directory = directoryOf(context)
  const object = seededRandom(1).bytes(32)
  await using file = await BlobNotes.open(directory, new Sequence(1), () => [])
  const commits = Array.from({ length: 4_000 }, (_, at): BlobNote => {
    return { kind: 'commit', object, peer: at % 2 === 0 ? 'a' : 'b', expiresAt: at % 3 === 0 ? at : 50_000 - at }
  })
  await Promise.all(commits.map((note) => file.add(note)))
  const before = await foundIn(directory, object)
  assert.equal(before.length, 4_000)
  await file.compact(() => true)
  const after = await foundIn(directory, object)
  assert.equal(after.length, 2)
  assert.equal(expiryOf(after), expiryOf(before))
  assert.deepEqual(
    after.map(({ sequence }) => sequence),
    before.slice(-2).map(({ sequence }) => sequence),
  )
  assert.ok(statSync(join(directory, 'notes.log')).size < 1_000)
})

test('what comes back of an object is the same from notes that were merged', async (context) => {
  const objects = [seededRandom(2).bytes(32), seededRandom(3).bytes(32)] as const
  const step = fc.record({
    kind: fc.constantFrom('commit', 'commit', 'commit', 'drop', 'gone', 'removed'),
    at: fc.nat({ max: 1 }),
    peer: fc.constantFrom('a', 'b'),
    expiresAt: fc.nat({ max: 9 }),
  })
  const deletion = { shards: 1, bytes: 2, at: 3, until: 4 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const directory = directoryOf(context)
      await using file = await BlobNotes.open(directory, new Sequence(1), () => [])
      for (const { kind, at, peer, expiresAt } of steps) {
        const object = objects[at] as Uint8Array
        if (kind === 'commit') await file.add({ kind, object, peer, expiresAt })
        else if (kind === 'drop') await file.add({ kind, object, peer })
        else if (kind === 'gone') await file.add({ kind, object })
        else await file.add({ kind: 'removed', object, account: peer, deletion })
      }
      const before = await Promise.all(objects.map((object) => foundIn(directory, object)))
      await file.compact(() => true)
      const after = await Promise.all(objects.map((object) => foundIn(directory, object)))
      const first = new Sequence(1).next()
      for (const [at, notes] of before.entries()) {
        assert.equal(expiryOf(after[at] ?? []), expiryOf(notes))
        assert.equal(
          after[at]?.filter(({ kind }) => kind === 'removed').length,
          notes.filter(({ kind }) => kind === 'removed').length,
        )
        // A shard may have been put before or behind each note.
        for (let sequence = first - 1; sequence <= first + steps.length; sequence++)
          for (const peer of ['a', 'b'])
            assert.equal(
              isCommitted(after[at] ?? [], peer, sequence + 0.5),
              isCommitted(notes, peer, sequence + 0.5),
              JSON.stringify({ notes, after: after[at], peer, sequence }),
            )
      }
    }),
    { numRuns: 60 },
  )
})
