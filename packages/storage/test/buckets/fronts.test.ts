import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { testCoding } from '../support/test-storage.ts'
import { bucketWorld, once, textOf, turns } from './bucket-fixture.ts'

// What a front such as that of S3 builds on.

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

test('what a body throws reaches whoever put it as it was thrown, and nothing stays', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets, storage } = open
  await buckets.create('one')
  const broken = new TypeError('the client is gone')
  async function* breaking(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(100_000)
    throw broken
  }
  await assert.rejects(buckets.put('one', 'a', breaking()), (error) => error === broken)
  const { id } = await buckets.startUpload('one', 'a')
  await assert.rejects(buckets.putPart('one', 'a', id, 1, breaking()), (error) => error === broken)
  assert.deepEqual([buckets.list('one').entries, buckets.parts('one', 'a', id), storage.list()], [[], [], []])
})

test('a deletion with conditions is one step: of what is there now, or not at all', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets } = open
  await buckets.create('one')
  await buckets.put('one', 'a', once('first'))
  const ifMatch = [md5('first')]
  // Both are looked at after the other is under way: the change comes first.
  const changed = buckets.put('one', 'a', once('second'))
  await changed
  await assert.rejects(buckets.remove('one', 'a', undefined, { ifMatch }), { code: 'E_PRECONDITION' })
  await assert.rejects(buckets.remove('one', 'none', undefined, { ifMatch: ['*'] }), { code: 'E_PRECONDITION' })
  assert.equal(buckets.head('one', 'a').etag, md5('second'))
  const two = await Promise.allSettled([
    buckets.remove('one', 'a', undefined, { ifMatch: ['*'] }),
    buckets.remove('one', 'a', undefined, { ifMatch: ['*'] }),
  ])
  assert.deepEqual(two.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('a marker that is asked for by its version is shown; its bytes are not there', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets } = open
  await buckets.create('one')
  await buckets.change('one', { versioning: 'enabled' })
  await buckets.put('one', 'a', once('text'))
  const { version } = await buckets.remove('one', 'a')
  const marker = buckets.head('one', 'a', version)
  assert.deepEqual([marker.isDeleteMarker, marker.isLatest, marker.version], [true, true, version])
  const of = { bucket: 'one', key: 'a', ...(version !== undefined && { version }) }
  await assert.rejects(buckets.get('one', 'a', of), { code: 'E_KEY_UNKNOWN' })
  await assert.rejects(buckets.copy(of, { bucket: 'one', key: 'b' }), { code: 'E_KEY_UNKNOWN' })
  await assert.rejects(buckets.setTags('one', 'a', new Map(), version), { code: 'E_KEY_UNKNOWN' })
})

test('a body that nobody reads holds nothing once it is given back', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets, storage } = open
  await buckets.create('one')
  await buckets.put('one', 'a', once('text'))
  const unread = await buckets.get('one', 'a')
  const read = await buckets.get('one', 'a')
  await buckets.remove('one', 'a')
  assert.equal(await textOf(read.body), 'text')
  await turns(() => storage.list().length === 0, 200)
  assert.equal(storage.list().length, 1, 'it may still be read')
  const iterator = unread.body[Symbol.asyncIterator]()
  await iterator.return?.()
  assert.deepEqual(await iterator.next(), { done: true, value: undefined })
  await turns(() => storage.list().length === 0)
  assert.equal(storage.list().length, 0)
})

test('checksums that are only known behind the body are computed where they are named before it', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets } = open
  await buckets.create('one')
  const SHA256 = createHash('sha256').update('text').digest('base64')
  const trailing = (value: string, algorithms?: readonly ['SHA256']) => {
    let sent = {}
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('text')
      sent = { SHA256: value }
    }
    return buckets.put('one', 'a', body(), { checksums: () => sent, ...(algorithms && { algorithms }) })
  }
  assert.deepEqual((await trailing(SHA256, ['SHA256'])).checksums, { SHA256 })
  await assert.rejects(trailing(SHA256.replace(/^./, '/'), ['SHA256']), { code: 'E_DIGEST' })
  // One that nobody computed is not believed.
  await assert.rejects(trailing(SHA256), { code: 'E_DIGEST' })
})

test('parts keep their sizes and checksums when the upload is completed, and in copies of it', async (t) => {
  const world = bucketWorld(t, new VirtualClock(1e12), coding)
  const checksum = { name: 'SHA256', type: 'COMPOSITE' } as const
  const SHA256 = createHash('sha256').update('text').digest('base64')
  {
    await using open = await world.open()
    const { buckets } = open
    await buckets.create('one')
    const { id } = await buckets.startUpload('one', 'a', { checksum })
    const part = await buckets.putPart('one', 'a', id, 1, once('text'))
    await buckets.completeUpload('one', 'a', id, [part])
    await buckets.copy({ bucket: 'one', key: 'a' }, { bucket: 'one', key: 'b' })
  }
  await using open = await world.open()
  for (const key of ['a', 'b'])
    assert.deepEqual(open.buckets.head('one', key).parts, [{ size: 4, checksums: { SHA256 } }])
})
