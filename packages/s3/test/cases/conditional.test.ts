import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type * as s3 from '@aws-sdk/client-s3'
import { CaseWorld } from '../support/case-world.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()
const FAILED = answered('PreconditionFailed', 412)
const LONG_AGO = new Date('1994-10-29T19:43:31Z')
const TO_COME = new Date('2100-10-29T19:43:31Z')

describe('cases: conditions of reads', () => {
  test('by ETag', async () => {
    const Bucket = await world.bucket()
    const { ETag } = await world.put(Bucket, 'foo', 'bar')
    assert.equal(await world.text(Bucket, 'foo', { IfMatch: ETag }), 'bar')
    await assert.rejects(world.text(Bucket, 'foo', { IfMatch: '"ABCORZ"' }), FAILED)
    assert.equal(await world.text(Bucket, 'foo', { IfNoneMatch: 'ABCORZ' }), 'bar')
    const answer = await world.raw('GET', `/${Bucket}/foo`, { headers: { 'if-none-match': ETag ?? '' } })
    assert.match(answer, /^HTTP\/1\.1 304 /)
    assert.ok(answer.includes(`etag: ${ETag}\r\n`) && answer.endsWith('\r\n\r\n'))
  })

  test('by date', async () => {
    const Bucket = await world.bucket(['foo'])
    assert.equal(await world.text(Bucket, 'foo', { IfModifiedSince: LONG_AGO }), 'foo')
    const { LastModified } = await world.client.headObject({ Bucket, Key: 'foo' })
    await assert.rejects(
      world.text(Bucket, 'foo', { IfModifiedSince: LastModified }),
      (error: s3.S3ServiceException) => error.$metadata.httpStatusCode === 304,
    )
    await assert.rejects(world.text(Bucket, 'foo', { IfUnmodifiedSince: LONG_AGO }), FAILED)
    assert.equal(await world.text(Bucket, 'foo', { IfUnmodifiedSince: TO_COME }), 'foo')
  })
})

/** One write with conditions: a put, or the completion of an upload. */
type Write = (
  Bucket: string,
  more: Partial<s3.PutObjectCommandInput>,
) => Promise<{ readonly ETag?: string | undefined }>

let written = 0
const byPut: Write = (Bucket, more) => world.put(Bucket, 'obj', `${++written}`, more)
const byUpload: Write = async (Bucket, { IfMatch, IfNoneMatch }) => {
  const { UploadId } = await world.client.createMultipartUpload({ Bucket, Key: 'obj' })
  const Body = `${++written}`
  const { ETag } = await world.client.uploadPart({ Bucket, Key: 'obj', UploadId, PartNumber: 1, Body })
  const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] }
  return world.client.completeMultipartUpload({ Bucket, Key: 'obj', UploadId, MultipartUpload, IfMatch, IfNoneMatch })
}
const NO_KEY = answered('NoSuchKey', 404)

async function ifMatch(write: Write, Bucket: string): Promise<void> {
  await assert.rejects(write(Bucket, { IfMatch: '*' }), NO_KEY)
  await assert.rejects(write(Bucket, { IfMatch: 'badetag' }), NO_KEY)
  await assert.rejects(world.text(Bucket, 'obj'), NO_KEY)
  const one = await write(Bucket, { IfNoneMatch: '*' })
  const two = await write(Bucket, { IfMatch: '*' })
  await assert.rejects(write(Bucket, { IfMatch: 'badetag' }), FAILED)
  await assert.rejects(write(Bucket, { IfMatch: one.ETag }), FAILED)
  await write(Bucket, { IfMatch: two.ETag })
  await world.client.deleteObject({ Bucket, Key: 'obj' })
  await assert.rejects(write(Bucket, { IfMatch: '*' }), NO_KEY)
  await write(Bucket, { IfNoneMatch: '*' })
}

async function ifNoneMatch(write: Write, Bucket: string): Promise<void> {
  await write(Bucket, { IfNoneMatch: '*' })
  await assert.rejects(write(Bucket, { IfNoneMatch: '*' }), FAILED)
  // S3 takes no ETag there.
  await assert.rejects(write(Bucket, { IfNoneMatch: 'badetag' }), answered('NotImplemented', 501))
}

describe('cases: conditions of writes', () => {
  test('a put only over what it knows, or over nothing', async () => {
    const Bucket = await world.bucket()
    const { ETag } = await world.put(Bucket, 'foo', 'bar', { IfNoneMatch: '*' })
    await assert.rejects(world.put(Bucket, 'foo', 'zar', { IfMatch: '"ABCORZ"' }), FAILED)
    await assert.rejects(world.put(Bucket, 'foo', 'zar', { IfNoneMatch: '*' }), FAILED)
    assert.equal(await world.text(Bucket, 'foo'), 'bar')
    await world.put(Bucket, 'foo', 'zar', { IfMatch: ETag?.replaceAll('"', '') })
    assert.equal(await world.text(Bucket, 'foo'), 'zar')
    await world.put(Bucket, 'foo', 'tar', { IfMatch: '*' })
    assert.equal(await world.text(Bucket, 'foo'), 'tar')
    await assert.rejects(world.put(Bucket, 'new', 'bar', { IfMatch: '*' }), NO_KEY)
    await assert.rejects(world.text(Bucket, 'new'), NO_KEY)
  })

  test('puts with and without versions', async () => {
    await ifMatch(byPut, await world.bucket())
    await ifMatch(byPut, await world.versioned())
    await ifNoneMatch(byPut, await world.bucket())
    await ifNoneMatch(byPut, await world.versioned())
  })

  test('completions of uploads with and without versions', async () => {
    await ifMatch(byUpload, await world.bucket())
    await ifMatch(byUpload, await world.versioned())
    await ifNoneMatch(byUpload, await world.bucket())
    await ifNoneMatch(byUpload, await world.versioned())
  })
})

/** A condition that holds of the object, and one that does not. */
type Condition = (head: s3.HeadObjectCommandOutput) => readonly [right: object, wrong: object]

const ofDelete: readonly Condition[] = [
  ({ ETag }) => [{ IfMatch: ETag }, { IfMatch: 'badetag' }],
  ({ LastModified }) => [{ IfMatchLastModifiedTime: LastModified }, { IfMatchLastModifiedTime: LONG_AGO }],
  ({ ContentLength }) => [{ IfMatchSize: ContentLength }, { IfMatchSize: 9_999 }],
]
const ofDeletes: readonly Condition[] = [
  ({ ETag }) => [{ ETag }, { ETag: 'badetag' }],
  ({ LastModified }) => [{ LastModifiedTime: LastModified }, { LastModifiedTime: LONG_AGO }],
  ({ ContentLength }) => [{ Size: ContentLength }, { Size: 9_999 }],
]

describe('cases: conditions of deletions', () => {
  test('of what is there, by ETag, date and size', async () => {
    for (const condition of ofDelete)
      for (const Bucket of [await world.bucket(['obj']), await world.versioned()]) {
        await world.put(Bucket, 'obj', 'obj')
        const [right, wrong] = condition(await world.client.headObject({ Bucket, Key: 'obj' }))
        await assert.rejects(world.client.deleteObject({ Bucket, Key: 'obj', ...wrong }), FAILED)
        assert.equal(await world.text(Bucket, 'obj'), 'obj')
        await world.client.deleteObject({ Bucket, Key: 'obj', ...right })
        await assert.rejects(world.text(Bucket, 'obj'), NO_KEY)
        await world.put(Bucket, 'obj', 'again')
        await world.client.deleteObject({ Bucket, Key: 'obj', IfMatch: '*' })
      }
  })

  test('of the current version, whichever is named', async () => {
    for (const condition of ofDelete) {
      const Bucket = await world.versioned()
      const one = await world.put(Bucket, 'obj', 'old')
      const two = await world.put(Bucket, 'obj', 'current')
      const [right, wrong] = condition(await world.client.headObject({ Bucket, Key: 'obj' }))
      for (const { VersionId } of [one, two]) {
        await assert.rejects(world.client.deleteObject({ Bucket, Key: 'obj', VersionId, ...wrong }), FAILED)
        await world.client.headObject({ Bucket, Key: 'obj', VersionId })
        const done = await world.client.deleteObject({ Bucket, Key: 'obj', VersionId, ...right })
        assert.deepEqual([done.VersionId, done.DeleteMarker], [VersionId, undefined])
        await assert.rejects(world.text(Bucket, 'obj', { VersionId }), answered('NoSuchVersion', 404))
      }
    }
  })

  test('of each of many', async () => {
    for (const condition of ofDeletes)
      for (const [Bucket, named] of [
        [await world.bucket(), false],
        [await world.versioned(), false],
        [await world.versioned(), true],
      ] as const) {
        const put = await world.put(Bucket, 'obj', 'obj')
        const VersionId = named ? put.VersionId : undefined
        const [right, wrong] = condition(await world.client.headObject({ Bucket, Key: 'obj', VersionId }))
        const remove = (more: object) =>
          world.client.deleteObjects({ Bucket, Delete: { Objects: [{ Key: 'obj', VersionId, ...more }] } })
        const refused = await remove(wrong)
        assert.deepEqual([refused.Errors?.[0]?.Code, refused.Deleted], ['PreconditionFailed', undefined])
        assert.equal(await world.text(Bucket, 'obj', { VersionId }), 'obj')
        const done = await remove(right)
        assert.deepEqual([done.Deleted?.[0]?.Key, done.Errors], ['obj', undefined])
        await assert.rejects(world.text(Bucket, 'obj'), NO_KEY)
      }
  })

  test('of what is not there, and a condition that is none', async () => {
    const Bucket = await world.bucket(['obj'])
    await assert.rejects(world.client.deleteObject({ Bucket, Key: 'none', IfMatch: '*' }), NO_KEY)
    await assert.rejects(world.client.deleteObject({ Bucket, Key: 'none', IfMatch: 'badetag' }), NO_KEY)
    await world.client.deleteObject({ Bucket, Key: 'none', IfMatchSize: 0 })
    await world.client.deleteObject({ Bucket, Key: 'none', IfMatchLastModifiedTime: LONG_AGO })
    for (const header of ['x-amz-if-match-size', 'x-amz-if-match-last-modified-time']) {
      const answer = await world.raw('DELETE', `/${Bucket}/obj`, { headers: { [header]: 'nothing' } })
      assert.match(answer, /^HTTP\/1\.1 400 [^]*<Code>InvalidArgument</)
    }
    assert.equal(await world.text(Bucket, 'obj'), 'obj')
  })
})
