import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { PART, partsOf, uploadParts } from '../support/multi-parts.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

describe('cases: copies', () => {
  test('within a bucket and to another one, of nothing as well', async () => {
    const Bucket = await world.bucket()
    const other = await world.bucket()
    await world.put(Bucket, 'foo', 'foo', { ContentType: 'text/bla' })
    await world.put(Bucket, 'empty')
    for (const target of [Bucket, other]) {
      await world.client.copyObject({ Bucket: target, Key: 'bar', CopySource: `${Bucket}/foo` })
      assert.equal(await world.text(target, 'bar'), 'foo')
      assert.equal((await world.client.headObject({ Bucket: target, Key: 'bar' })).ContentType, 'text/bla')
      await world.client.copyObject({ Bucket: target, Key: 'none', CopySource: `/${Bucket}/empty` })
      assert.equal((await world.client.headObject({ Bucket: target, Key: 'none' })).ContentLength, 0)
    }
  })

  test('16 MiB', async () => {
    const Bucket = await world.bucket()
    const bytes = randomBytes(16 << 20)
    const { ETag } = await world.put(Bucket, 'obj1', bytes)
    const { CopyObjectResult } = await world.client.copyObject({ Bucket, Key: 'obj2', CopySource: `${Bucket}/obj1` })
    assert.equal(CopyObjectResult?.ETag, ETag)
    const { Body } = await world.client.getObject({ Bucket, Key: 'obj2' })
    assert.ok(bytes.equals((await Body?.transformToByteArray()) ?? new Uint8Array()))
  })

  test('onto itself only with something new', async () => {
    const Bucket = await world.bucket(['foo'])
    const itself = { Bucket, Key: 'foo', CopySource: `${Bucket}/foo` }
    await assert.rejects(world.client.copyObject(itself), answered('InvalidRequest', 400))
    await world.client.copyObject({ ...itself, Metadata: { foo: 'bar' }, MetadataDirective: 'REPLACE' })
    assert.deepEqual((await world.client.headObject({ Bucket, Key: 'foo' })).Metadata, { foo: 'bar' })
    assert.equal(await world.text(Bucket, 'foo'), 'foo')
  })

  test('with the metadata of the source, and with other', async () => {
    const Bucket = await world.bucket()
    const Metadata = { key1: 'value1', key2: 'value2' }
    await world.put(Bucket, 'foo', 'foo', { Metadata, ContentType: 'audio/ogg', CacheControl: 'no-cache' })
    const copy = { Bucket, Key: 'bar', CopySource: `${Bucket}/foo` }
    await world.client.copyObject(copy)
    const kept = await world.client.headObject({ Bucket, Key: 'bar' })
    assert.deepEqual([kept.Metadata, kept.ContentType, kept.CacheControl], [Metadata, 'audio/ogg', 'no-cache'])
    const other = { key3: 'value3', key2: 'value2' }
    await world.client.copyObject({
      ...copy,
      Metadata: other,
      MetadataDirective: 'REPLACE',
      ContentType: 'audio/mpeg',
    })
    const replaced = await world.client.headObject({ Bucket, Key: 'bar' })
    assert.deepEqual([replaced.Metadata, replaced.ContentType, replaced.CacheControl], [other, 'audio/mpeg', undefined])
  })

  test('of what is not there', async () => {
    const Bucket = await world.bucket()
    const copy = (CopySource: string) => world.client.copyObject({ Bucket, Key: 'bar', CopySource })
    await assert.rejects(copy(`${Bucket}-fake/foo`), answered('NoSuchBucket', 404))
    await assert.rejects(copy(`${Bucket}/foo`), answered('NoSuchKey', 404))
  })

  test('on conditions of the source', async () => {
    const Bucket = await world.bucket()
    const { ETag } = await world.put(Bucket, 'foo', 'bar')
    const copy = { Bucket, Key: 'bar', CopySource: `${Bucket}/foo` }
    const failed = answered('PreconditionFailed', 412)
    await assert.rejects(world.client.copyObject({ ...copy, CopySourceIfMatch: 'ABCORZ' }), failed)
    await assert.rejects(world.client.copyObject({ ...copy, CopySourceIfNoneMatch: ETag }), failed)
    await assert.rejects(world.text(Bucket, 'bar'), answered('NoSuchKey', 404))
    await world.client.copyObject({ ...copy, CopySourceIfMatch: ETag })
    assert.equal(await world.text(Bucket, 'bar'), 'bar')
    await world.client.copyObject({ ...copy, Key: 'other', CopySourceIfNoneMatch: 'ABCORZ' })
    assert.equal(await world.text(Bucket, 'other'), 'bar')
  })

  test('of versions, between buckets with versions and without', async () => {
    const [Bucket, versioned, plain] = [await world.versioned(), await world.versioned(), await world.bucket()]
    const key = 'foo?b&r %'
    const { VersionId } = await world.put(Bucket, key, 'one')
    await world.put(Bucket, key, 'two')
    const CopySource = `${Bucket}/${encodeURIComponent(key)}?versionId=${VersionId}`
    for (const target of [Bucket, versioned, plain]) {
      const copied = await world.client.copyObject({ Bucket: target, Key: 'b&r', CopySource })
      assert.equal(copied.CopySourceVersionId, VersionId)
      assert.equal(copied.VersionId === undefined, target === plain)
      assert.equal(await world.text(target, 'b&r'), 'one')
      const again = { Bucket: target, Key: 'again', CopySource: `${target}/${encodeURIComponent('b&r')}` }
      const { CopySourceVersionId } = await world.client.copyObject(again)
      assert.equal(CopySourceVersionId, copied.VersionId)
      assert.equal(await world.text(target, 'again'), 'one')
    }
    await world.client.copyObject({ Bucket, Key: 'from plain', CopySource: `${plain}/again` })
    assert.equal(await world.text(Bucket, 'from plain'), 'one')
  })

  test('of an object that was put in parts', async () => {
    const [Bucket, versioned, plain] = [await world.versioned(), await world.versioned(), await world.bucket()]
    const bytes = randomBytes(PART + 1_000)
    const more = { Metadata: { foo: 'bar' }, ContentType: 'text/bla' }
    const upload = await uploadParts(world, Bucket, 'source', partsOf(bytes), more)
    const { VersionId } = await upload.complete()
    const CopySource = `${Bucket}/source?versionId=${VersionId}`
    for (const target of [Bucket, versioned, plain]) {
      await world.client.copyObject({ Bucket: target, Key: 'copy', CopySource })
      const found = await world.client.getObject({ Bucket: target, Key: 'copy' })
      assert.deepEqual([found.Metadata, found.ContentType], [more.Metadata, more.ContentType])
      assert.ok(bytes.equals((await found.Body?.transformToByteArray()) ?? new Uint8Array()))
    }
  })
})
