import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { listOf } from '../support/lists.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

describe('cases: objects', () => {
  test('written, read, overwritten, read, deleted', async () => {
    const Bucket = await world.bucket()
    const { ETag } = await world.put(Bucket, 'foo', 'bar')
    assert.equal(ETag, `"${createHash('md5').update('bar').digest('hex')}"`)
    assert.equal(await world.text(Bucket, 'foo'), 'bar')
    await world.put(Bucket, 'foo', 'soup')
    assert.equal(await world.text(Bucket, 'foo'), 'soup')
    await world.client.deleteObject({ Bucket, Key: 'foo' })
    await assert.rejects(world.text(Bucket, 'foo'), answered('NoSuchKey', 404))
  })

  test('what is not there is not read, and nothing is written where no bucket is', async () => {
    const Bucket = await world.bucket()
    await assert.rejects(world.text(Bucket, 'bar'), answered('NoSuchKey', 404))
    await assert.rejects(world.put(world.name(), 'foo', 'foo'), answered('NoSuchBucket', 404))
  })

  test('an object of no bytes has a length', async () => {
    const Bucket = await world.bucket()
    await world.put(Bucket, 'foo')
    assert.equal((await world.client.headObject({ Bucket, Key: 'foo' })).ContentLength, 0)
  })

  test('an error names the request as its header does', async () => {
    const Bucket = await world.bucket()
    const answer = await world.raw('GET', `/${Bucket}/bar`)
    const header = /^x-amz-request-id: (\S+)\r$/im.exec(answer)?.[1]
    assert.ok(header !== undefined)
    assert.ok(answer.includes(`<RequestId>${header}</RequestId>`))
  })

  test('keys of a bucket that is gone, and a key that is gone', async () => {
    const Bucket = await world.bucket(['foo'])
    await world.client.deleteObject({ Bucket, Key: 'foo' })
    await assert.rejects(world.text(Bucket, 'foo'), answered('NoSuchKey', 404))
    await world.client.deleteBucket({ Bucket })
    await assert.rejects(world.client.deleteObject({ Bucket, Key: 'foo' }), answered('NoSuchBucket', 404))
    await assert.rejects(world.text(Bucket, 'foo'), answered('NoSuchBucket', 404))
  })

  test('keys of letters that mean something elsewhere', async () => {
    const keys = [' ', '"', '$', '%', '&', "'", '<', '>', '_', '_ ', '_ _', '__', '?versionId', '+', '#', '\\']
    const Bucket = await world.bucket(keys)
    const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    // Encoded, since the SDK cuts off spaces.
    const listed = await world.client.listObjects({ Bucket, EncodingType: 'url' })
    assert.deepEqual(listOf(listed).map(decodeURIComponent), byBytes)
    for (const key of keys) {
      assert.equal(await world.text(Bucket, key), key)
      await world.client.putObjectAcl({ Bucket, Key: key, ACL: 'private' })
      await world.client.deleteObject({ Bucket, Key: key })
    }
    assert.deepEqual(listOf(await world.client.listObjects({ Bucket })), [])
  })

  test('a key that is no UTF-8', async () => {
    const Bucket = await world.bucket()
    const answer = await world.unsigned('GET', `/${Bucket}/%AE%8A-`)
    assert.match(answer, /^HTTP\/1\.1 400 [^]*<Code>InvalidURI</)
  })

  test('nobody writes without a key', async () => {
    const Bucket = await world.bucket(['foo'])
    const answer = await world.unsigned('PUT', `/${Bucket}/foo`, { 'content-length': '0' })
    assert.match(answer, /^HTTP\/1\.1 403 [^]*<Code>AccessDenied</)
    assert.equal(await world.text(Bucket, 'foo'), 'foo')
  })

  test('setting the ACL that there is changes no date', async () => {
    const Bucket = await world.versioned()
    await world.put(Bucket, 'foo', 'fooz')
    const before = await world.client.listObjectVersions({ Bucket })
    await world.client.putObjectAcl({ Bucket, Key: 'foo', ACL: 'private' })
    assert.deepEqual((await world.client.listObjectVersions({ Bucket })).Versions, before.Versions)
  })

  test('the ACL is that of its owner, who may set it again', async () => {
    const Bucket = await world.bucket(['foo'])
    const { Owner, Grants } = await world.client.getBucketAcl({ Bucket })
    assert.deepEqual(
      Grants?.map(({ Grantee, Permission }) => [Grantee?.ID, Grantee?.Type, Permission]),
      [[Owner?.ID, 'CanonicalUser', 'FULL_CONTROL']],
    )
    const ofObject = await world.client.getObjectAcl({ Bucket, Key: 'foo' })
    assert.deepEqual([ofObject.Owner, ofObject.Grants], [Owner, Grants])
    await world.client.putBucketAcl({ Bucket, ACL: 'private' })
    assert.deepEqual((await world.client.getBucketAcl({ Bucket })).Grants, Grants)
  })
})

describe('cases: metadata of objects', () => {
  test('set, set to nothing, and replaced with the object', async () => {
    const Bucket = await world.bucket()
    const metaOf = async () => (await world.client.headObject({ Bucket, Key: 'foo' })).Metadata
    await world.put(Bucket, 'foo', 'bar', { Metadata: { meta1: 'mymeta' } })
    assert.deepEqual(await metaOf(), { meta1: 'mymeta' })
    await world.put(Bucket, 'foo', 'bar', { Metadata: { meta1: '' } })
    assert.deepEqual(await metaOf(), { meta1: '' })
    await world.put(Bucket, 'foo', 'bar')
    assert.deepEqual(await metaOf(), {})
  })

  test('metadata in UTF-8 comes back as it went', async () => {
    const Bucket = await world.bucket()
    const value = Buffer.from('Hello Worldé').toString('latin1')
    const headers = { 'x-amz-meta-meta1': value, 'content-length': '0' }
    assert.match(await world.raw('PUT', `/${Bucket}/foo`, { headers }), /^HTTP\/1\.1 200 /)
    const answer = await world.raw('HEAD', `/${Bucket}/foo`)
    assert.ok(answer.includes(`x-amz-meta-meta1: ${value}\r\n`))
  })

  test('Cache-Control and Expires', async () => {
    const Bucket = await world.bucket()
    const Expires = new Date(1_900_000_000_000)
    await world.put(Bucket, 'foo', 'bar', { CacheControl: 'public, max-age=14400', Expires })
    const head = await world.client.headObject({ Bucket, Key: 'foo' })
    assert.deepEqual([head.CacheControl, head.ExpiresString], ['public, max-age=14400', Expires.toUTCString()])
  })

  test('aws-chunked is no encoding of the content', async () => {
    const Bucket = await world.bucket()
    for (const [ContentEncoding, kept] of [
      ['gzip', 'gzip'],
      ['deflate, gzip', 'deflate, gzip'],
      ['gzip, aws-chunked', 'gzip'],
      ['aws-chunked, gzip', 'gzip'],
      ['deflate, aws-chunked, gzip', 'deflate, gzip'],
      ['aws-chunked', undefined],
      ['aws-chunked, aws-chunked', undefined],
    ] as const) {
      await world.put(Bucket, 'foo', '', { ContentEncoding })
      const head = await world.client.headObject({ Bucket, Key: 'foo' })
      assert.equal(head.ContentEncoding, kept, ContentEncoding)
    }
  })
})
