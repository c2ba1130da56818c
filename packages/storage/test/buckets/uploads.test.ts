import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { VirtualClock, seededRandom, systemRandom } from '@weft/core'
import fc from 'fast-check'
import { checksumOf } from '../../src/buckets/body-digests.ts'
import { Catalog } from '../../src/buckets/catalog.ts'
import { chunksOf, readAll, testCoding } from '../support/test-storage.ts'
import { bucketWorld, once, turns } from './bucket-fixture.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const MIN_PART = 5 * 1024 * 1024
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const parts = [seededRandom(1).bytes(MIN_PART), seededRandom(2).bytes(MIN_PART + 1), seededRandom(3).bytes(100)]
const whole = new Uint8Array(Buffer.concat(parts))

test('an upload in parts is their bytes put end to end, read whole and in ranges, and no byte is moved for it', async (t) => {
  const world = bucketWorld(t, new VirtualClock(1e12), coding)
  await using open = await world.open()
  const { buckets, storage } = open
  await buckets.create('one')
  const checksum = { name: 'CRC64NVME', type: 'FULL_OBJECT' } as const
  const { id } = await buckets.startUpload('one', 'k', { checksum, meta: { contentType: 'a/b' } })
  await buckets.putPart('one', 'k', id, 7, chunksOf(parts[1]!, 99_999))
  // In the place of another; and one that is not named in the end.
  await buckets.putPart('one', 'k', id, 2, once('to be replaced'))
  await buckets.putPart('one', 'k', id, 2, chunksOf(parts[0]!, 65_536))
  await buckets.putPart('one', 'k', id, 9, once('left out'))
  await buckets.putPart('one', 'k', id, 10_000, once(parts[2]!))
  const listed = buckets.parts('one', 'k', id)
  assert.deepEqual(
    listed.map(({ number, size }) => [number, size]),
    [
      [2, MIN_PART],
      [7, MIN_PART + 1],
      [9, 8],
      [10_000, 100],
    ],
  )
  const names = listed.filter(({ number }) => number !== 9)
  const given = { checksums: { CRC64NVME: base64(checksumOf('CRC64NVME', whole)) } }
  const { sent } = world.network
  const made = await buckets.completeUpload('one', 'k', id, names, given)
  assert.equal(world.network.sent, sent)
  const md5 = createHash('md5')
  for (const part of parts) md5.update(createHash('md5').update(part).digest())
  assert.deepEqual(
    [made.etag, made.parts.map(({ size }) => size), made.checksums, made.meta.contentType, made.size],
    [`${md5.digest('hex')}-3`, parts.map((part) => part.length), given.checksums, 'a/b', whole.length],
  )
  assert.deepEqual(await buckets.completeUpload('one', 'k', id, names, given), made)
  assert.throws(() => buckets.upload('one', 'k', id), { code: 'E_UPLOAD_UNKNOWN' })
  await turns(() => storage.list().length === 3)
  assert.equal(storage.list().length, 3)
  assert.equal(Buffer.compare(await readAll((await buckets.get('one', 'k')).body), whole), 0)
  const offset = fc.oneof(
    fc.nat({ max: whole.length - 1 }),
    fc.constantFrom(MIN_PART - 1, MIN_PART, 2 * MIN_PART, 2 * MIN_PART + 1),
  )
  await fc.assert(
    fc.asyncProperty(offset, fc.integer({ min: 1, max: MIN_PART + 500 }), async (from, length) => {
      const seen: number[] = []
      const onProgress = ({ bytes, total }: { bytes: number; total: number | undefined }) =>
        seen.push(bytes, total ?? 0)
      const { body } = await buckets.get('one', 'k', { range: { offset: from, length }, onProgress })
      const expected = whole.subarray(from, from + length)
      assert.equal(Buffer.compare(await readAll(body), expected), 0)
      assert.deepEqual(seen.slice(-2), [expected.length, expected.length])
    }),
    { numRuns: 8 },
  )
  await assert.rejects(buckets.get('one', 'k', { range: { offset: whole.length, length: 1 } }), { code: 'E_RANGE' })
  // A copy has the same parts, and keeps them when the first is gone.
  await buckets.copy({ bucket: 'one', key: 'k' }, { bucket: 'one', key: 'copy' })
  await buckets.remove('one', 'k')
  assert.equal(Buffer.compare(await readAll((await buckets.get('one', 'copy')).body), whole), 0)
})

test('what cannot be completed is refused and stays open; an abort removes the parts', async (t) => {
  const world = bucketWorld(t, new VirtualClock(1e12), coding)
  await using open = await world.open()
  const { buckets, storage } = open
  await buckets.create('one')
  const checksum = { name: 'SHA256', type: 'COMPOSITE' } as const
  const { id } = await buckets.startUpload('one', 'k', { checksum })
  const small = await buckets.putPart('one', 'k', id, 1, once('small'))
  const last = await buckets.putPart('one', 'k', id, 2, once('last'))
  const complete = (names: readonly { number: number; etag: string }[], options = {}) =>
    buckets.completeUpload('one', 'k', id, names, options)
  await assert.rejects(complete([small, last]), { code: 'E_PART_SMALL' })
  await assert.rejects(complete([last, small]), { code: 'E_PART_ORDER' })
  await assert.rejects(complete([small, small]), { code: 'E_PART_ORDER' })
  await assert.rejects(complete([{ number: 3, etag: small.etag }]), { code: 'E_PART_UNKNOWN' })
  await assert.rejects(complete([{ number: 1, etag: last.etag }]), { code: 'E_PART_UNKNOWN' })
  await assert.rejects(complete([]), { code: 'E_PART_UNKNOWN' })
  await assert.rejects(complete([small], { checksums: { SHA256: 'AAAA' } }), { code: 'E_DIGEST' })
  await assert.rejects(complete([small], { ifMatch: ['*'] }), { code: 'E_PRECONDITION' })
  await assert.rejects(buckets.putPart('one', 'k', id, 10_001, once('x')), { code: 'E_PART_UNKNOWN' })
  await assert.rejects(buckets.putPart('one', 'other', id, 1, once('x')), { code: 'E_UPLOAD_UNKNOWN' })
  await assert.rejects(buckets.putPart('one', 'k', id, 1, once('x'), { md5: 'ff' }), { code: 'E_DIGEST' })
  assert.equal(small.checksums.SHA256, base64(checksumOf('SHA256', Buffer.from('small'))))
  assert.equal(storage.list().length, 2)
  // One that is over before the bytes of a part are there.
  const begun = Promise.withResolvers<void>()
  const rest = Promise.withResolvers<void>()
  const slow = async function* () {
    begun.resolve()
    yield* once('late')
    await rest.promise
  }
  const late = buckets.putPart('one', 'k', id, 3, slow())
  await begun.promise
  await buckets.abortUpload('one', 'k', id)
  rest.resolve()
  await assert.rejects(late, { code: 'E_UPLOAD_UNKNOWN' })
  await assert.rejects(complete([small]), { code: 'E_UPLOAD_UNKNOWN' })
  await turns(() => storage.list().length === 0)
  assert.deepEqual(storage.list(), [])
})

test('uploads are listed by key and begin, in pages, with common prefixes, over a restart', async (t) => {
  const clock = new VirtualClock(1e12)
  const world = bucketWorld(t, clock, coding)
  const ids: string[] = []
  {
    await using open = await world.open()
    await open.buckets.create('one')
    for (const key of ['b', 'a', 'c/1', 'c/2', 'b', 'd']) {
      ids.push((await open.buckets.startUpload('one', key)).id)
      await clock.advance(1)
    }
  }
  await using open = await world.open()
  const seen: string[] = []
  let from: { after?: string; afterUpload?: string } = {}
  for (;;) {
    const page = open.buckets.uploads('one', { ...from, delimiter: '/', limit: 2 })
    seen.push(...page.uploads.map(({ id }) => String(ids.indexOf(id))), ...page.prefixes)
    if (page.next === undefined) break
    from = { after: page.next.key, ...(page.next.upload !== undefined && { afterUpload: page.next.upload }) }
  }
  assert.deepEqual(seen, ['1', '0', '4', 'c/', '5'])
  assert.deepEqual(
    open.buckets.uploads('one', { prefix: 'c/' }).uploads.map(({ key }) => key),
    ['c/1', 'c/2'],
  )
})

test('uploads that are over take no room from those that begin', async (t) => {
  const clock = new VirtualClock(1e12)
  const world = bucketWorld(t, clock, coding)
  const ids = Array.from({ length: 10_000 }, (_, at) => at.toString(16).padStart(32, '0'))
  {
    const random = systemRandom
    using catalog = await Catalog.open({ directory: world.directory, personKey: world.personKey, random })
    const bucket = { name: 'one', createdAt: 0, versioning: 'off', tags: [] } as const
    const meta = { headers: [], metadata: [], tags: [] }
    catalog.apply([{ type: 'bucket', bucket }])
    catalog.apply(
      ids.map((id) => ({ type: 'upload', bucket: 'one', upload: { id, key: 'k', startedAt: clock.now(), meta } })),
    )
    catalog.apply(
      ids.map((id, at) => {
        const rest = { id: at, key: 'k', version: 'null', isDeleteMarker: false, size: 0, etag: '', meta }
        const done = { ...rest, checksums: {}, parts: [], modifiedAt: clock.now() + at }
        return { type: 'no-upload', bucket: 'one', upload: id, done }
      }),
    )
  }
  await using open = await world.open()
  const { buckets } = open
  const again = (id: string) => buckets.completeUpload('one', 'k', id, [{ number: 1, etag: '' }])
  const begun = await buckets.startUpload('one', 'new')
  assert.equal(buckets.upload('one', 'new', begun.id).key, 'new')
  // The oldest answers go, the newest stay.
  await assert.rejects(again(ids[0]!), { code: 'E_UPLOAD_UNKNOWN' })
  assert.equal((await again(ids.at(-1)!)).key, 'k')
})
