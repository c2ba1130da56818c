import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { BlobIndex } from '../../src/blobs/blob-index.ts'

const random = seededRandom(9)

test('a commit or release that changes nothing costs no flush of the disk', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-index-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const handle = await open(join(directory, 'any'), 'w')
  await handle.close()
  await using index = await BlobIndex.open(directory)
  const flush = context.mock.method(Object.getPrototypeOf(handle) as FileHandle, 'datasync')
  const flushes = async (change: () => Promise<unknown>): Promise<number> => {
    flush.mock.resetCalls()
    await change()
    return flush.mock.callCount()
  }
  const object = random.bytes(32)
  const name = { object, segment: 0, index: 0 }
  const place = { log: 1, offset: 0 }
  const entry = { name, length: 1, place, checksums: random.bytes(4), committed: false, peer: 'a', corrupt: false }
  assert.equal(await flushes(() => index.commit(object, 'a', 5)), 0)
  assert.equal(await flushes(() => index.release(object)), 0)
  assert.equal(await flushes(() => index.drop(object, 'a')), 0)
  assert.equal(await flushes(() => index.add(entry)), 1)
  assert.equal(await flushes(() => index.commit(object, 'b', 5)), 0)
  assert.equal(await flushes(() => index.commit(object, 'a', 5)), 1)
  assert.equal(await flushes(() => index.commit(object, 'a', 5)), 0)
  assert.equal(await flushes(() => index.commit(object, 'b', 4)), 0)
  assert.equal(await flushes(() => index.commit(object, 'a', 6)), 1)
  assert.deepEqual([index.expired(5, 9).length, index.expired(6, 9).length], [0, 1])
  assert.equal(await flushes(() => index.release(object)), 1)
  assert.equal(await flushes(() => index.release(object)), 0)
})
