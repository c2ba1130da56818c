import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { listOf } from '../support/lists.ts'
import { PART, openUpload, partsOf, uploadParts } from '../support/multi-parts.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

async function bytesOf(Bucket: string, Key: string, more: { Range?: string; PartNumber?: number } = {}) {
  const { Body } = await world.client.getObject({ Bucket, Key, ...more })
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

describe('cases: uploads in parts', () => {
  test('three parts become one object, over another one', async () => {
    const Bucket = await world.bucket(['mymultipart'])
    const bytes = randomBytes(2 * PART + 100)
    const more = { ContentType: 'text/bla', Metadata: { foo: 'bar' } }
    const upload = await uploadParts(world, Bucket, 'mymultipart', partsOf(bytes), more)
    assert.equal(await world.text(Bucket, 'mymultipart'), 'mymultipart')
    const { ETag } = await upload.complete()
    assert.match(ETag ?? '', /^"[0-9a-f]{32}-3"$/)
    // Completed again it says the same.
    assert.equal((await upload.complete()).ETag, ETag)
    const head = await world.client.headObject({ Bucket, Key: 'mymultipart' })
    assert.deepEqual(
      [head.ContentLength, head.ContentType, head.Metadata, head.ETag],
      [bytes.length, 'text/bla', more.Metadata, ETag],
    )
    assert.ok(bytes.equals(await bytesOf(Bucket, 'mymultipart')))
    for (let at = 0; at < bytes.length; at += 1_000_000) {
      const Range = `bytes=${at}-${at + 999_999}`
      assert.ok(bytes.subarray(at, at + 1_000_000).equals(await bytesOf(Bucket, 'mymultipart', { Range })))
    }
  })

  test('one part of one byte', async () => {
    const Bucket = await world.bucket()
    const upload = await uploadParts(world, Bucket, 'small', ['x'])
    const { ETag } = await upload.complete()
    assert.equal(await world.text(Bucket, 'small'), 'x')
    assert.equal((await upload.complete()).ETag, ETag)
  })

  test('sizes about those of parts', async () => {
    const Bucket = await world.bucket()
    for (const size of [PART, PART + 100_000, PART + 600_000, 2 * PART]) {
      const bytes = randomBytes(size)
      await (await uploadParts(world, Bucket, 'sized', partsOf(bytes))).complete()
      assert.ok(bytes.equals(await bytesOf(Bucket, 'sized')))
    }
  })

  test('a part that is sent again counts as it came last', async () => {
    const Bucket = await world.bucket()
    const bytes = randomBytes(PART + 100)
    const parts = partsOf(bytes)
    for (const resent of [[1], [2], [1, 2]]) {
      const upload = await openUpload(world, Bucket, 'resent')
      for (const [at, part] of parts.entries()) {
        if (resent.includes(at + 1)) await upload.put(at + 1, 'something else')
        await upload.put(at + 1, part)
      }
      await upload.complete()
      assert.ok(bytes.equals(await bytesOf(Bucket, 'resent')))
    }
  })

  test('completions that cannot be: nothing, unknown, too small, a part that is missing or another', async () => {
    const Bucket = await world.bucket()
    const empty = await openUpload(world, Bucket, 'none')
    const url = `/${Bucket}/none?uploadId=${empty.UploadId}`
    const answer = await world.raw('POST', url, { headers: { 'content-length': '0' } })
    assert.match(answer, /^HTTP\/1\.1 400 [^]*<Code>MalformedXML</)
    await assert.rejects(empty.complete({ MultipartUpload: { Parts: [] } }), answered('MalformedXML', 400))
    const some = { Parts: [{ PartNumber: 1, ETag: '1234' }] }
    await assert.rejects(
      empty.complete({ UploadId: 'abc1234def', MultipartUpload: some }),
      answered('NoSuchUpload', 404),
    )
    const small = await uploadParts(world, Bucket, 'none', ['a'.repeat(10_240), 'b'])
    await assert.rejects(small.complete(), answered('EntityTooSmall', 400))
    const [part] = small.Parts
    for (const wrong of [
      { PartNumber: 9_999, ETag: part?.ETag },
      { PartNumber: 1, ETag: 'f'.repeat(32) },
    ])
      await assert.rejects(small.complete({ MultipartUpload: { Parts: [wrong] } }), answered('InvalidPart', 400))
    await assert.rejects(world.text(Bucket, 'none'), answered('NoSuchKey', 404))
  })

  test('given up', async () => {
    const Bucket = await world.bucket()
    const upload = await uploadParts(world, Bucket, 'given-up', ['x'])
    const abort = (id: string) => world.client.abortMultipartUpload({ Bucket, Key: 'given-up', UploadId: id })
    await assert.rejects(abort('56788'), answered('NoSuchUpload', 404))
    await abort(upload.UploadId)
    assert.deepEqual(listOf(await world.client.listObjectsV2({ Bucket })), [])
    await assert.rejects(upload.complete(), answered('NoSuchUpload', 404))
    await assert.rejects(abort(upload.UploadId), answered('NoSuchUpload', 404))
  })

  test('those that are open are listed, two of one key as well', async () => {
    const Bucket = await world.bucket()
    const open = [
      await uploadParts(world, Bucket, 'mymultipart', ['x']),
      await uploadParts(world, Bucket, 'mymultipart', ['y']),
      await uploadParts(world, Bucket, 'mymultipart2', ['z']),
    ]
    const { Uploads = [] } = await world.client.listMultipartUploads({ Bucket })
    assert.equal(Uploads.length, 3)
    assert.deepEqual(new Set(Uploads.map(({ UploadId }) => UploadId)), new Set(open.map(({ UploadId }) => UploadId)))
    const { Owner } = await world.client.getBucketAcl({ Bucket })
    for (const upload of Uploads) assert.deepEqual([upload.Owner, upload.Initiator], [Owner, Owner])
  })

  test('read part by part', async () => {
    const Bucket = await world.bucket(['whole'])
    for (const size of [2 * PART + 1_000, PART]) {
      const bytes = randomBytes(size)
      const parts = partsOf(bytes)
      const upload = await uploadParts(world, Bucket, `parts-${size}`, parts)
      const Key = `parts-${size}`
      await assert.rejects(bytesOf(Bucket, Key, { PartNumber: 1 }), answered('NoSuchKey', 404))
      const { ETag } = await upload.complete()
      for (const [at, part] of parts.entries()) {
        const head = await world.client.headObject({ Bucket, Key, PartNumber: at + 1 })
        assert.deepEqual([head.PartsCount, head.ETag, head.ContentLength], [parts.length, ETag, part.length])
        assert.ok((await bytesOf(Bucket, Key, { PartNumber: at + 1 })).equals(part))
      }
      await assert.rejects(bytesOf(Bucket, Key, { PartNumber: 5 }), answered('InvalidPartNumber', 416))
    }
    assert.equal(String(await bytesOf(Bucket, 'whole', { PartNumber: 1 })), 'whole')
    await assert.rejects(bytesOf(Bucket, 'whole', { PartNumber: 2 }), answered('InvalidPartNumber', 416))
  })

  test('tags that an upload began with', async () => {
    const Bucket = await world.bucket()
    await (await uploadParts(world, Bucket, 'tagged', ['x'], { Tagging: 'Hello=World&foo=bar' })).complete()
    const tags = async () => (await world.client.getObjectTagging({ Bucket, Key: 'tagged' })).TagSet
    assert.deepEqual(await tags(), [
      { Key: 'Hello', Value: 'World' },
      { Key: 'foo', Value: 'bar' },
    ])
    await world.client.deleteObjectTagging({ Bucket, Key: 'tagged' })
    assert.deepEqual(await tags(), [])
  })
})

describe('cases: parts that are copied', () => {
  test('a range of the source, or all of it', async () => {
    const [source, Bucket] = [await world.bucket(), await world.bucket()]
    const bytes = randomBytes(PART + 600_000)
    await world.put(source, 'foo', bytes)
    const small = await openUpload(world, Bucket, 'small')
    await small.copy(1, `${source}/foo`, [0, 0])
    await small.complete()
    assert.ok(bytes.subarray(0, 1).equals(await bytesOf(Bucket, 'small')))
    const whole = await openUpload(world, Bucket, 'whole')
    await whole.copy(1, `${source}/foo`)
    await whole.complete()
    assert.ok(bytes.equals(await bytesOf(Bucket, 'whole')))
    for (const size of [PART, PART + 100_000, PART + 600_000]) {
      const upload = await openUpload(world, Bucket, 'sized')
      await upload.copy(1, `${source}/foo`, [0, PART - 1])
      if (size > PART) await upload.copy(2, `${source}/foo`, [PART, size - 1])
      await upload.complete()
      assert.ok(bytes.subarray(0, size).equals(await bytesOf(Bucket, 'sized')))
    }
  })

  test('ranges that are outside, or none', async () => {
    const Bucket = await world.bucket(['sourc'])
    const { UploadId } = await openUpload(world, Bucket, 'dest')
    const copy = (CopySourceRange: string) =>
      world.client.uploadPartCopy({
        Bucket,
        Key: 'dest',
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/sourc`,
        CopySourceRange,
      })
    await assert.rejects(copy('bytes=0-21'), answered('InvalidRange', 416))
    for (const range of ['0-2', 'bytes=0', 'bytes=hello-world', 'bytes=0-bar', 'bytes=hello-', 'bytes=0-2,3-5'])
      await assert.rejects(copy(range), answered('InvalidArgument', 400), range)
  })

  test('of keys that mean something in a header, each as it is and no other', async () => {
    const keys = [' ', '_', '__', '?versionId', 'anyfilename%25.txt']
    const [source, Bucket] = [await world.bucket(keys), await world.bucket(['kept'])]
    for (const key of keys) {
      const upload = await openUpload(world, Bucket, 'special')
      await upload.copy(1, `${source}/${encodeURIComponent(key)}`)
      await upload.complete()
      assert.equal(await world.text(Bucket, 'special'), key)
    }
    const upload = await openUpload(world, Bucket, 'kept')
    const other = `${source}/${encodeURIComponent('anyfilename%.txt')}`
    await assert.rejects(upload.copy(1, other), answered('NoSuchKey', 404))
    assert.equal(await world.text(Bucket, 'kept'), 'kept')
  })

  test('of each version', async () => {
    const [source, Bucket] = [await world.versioned(), await world.bucket()]
    for (const text of ['one', 'two', 'three']) {
      const { VersionId } = await world.put(source, 'foo', text)
      await world.put(source, 'foo', 'later')
      const upload = await openUpload(world, Bucket, 'copied')
      await upload.copy(1, `${source}/foo?versionId=${VersionId}`, [0, text.length - 1])
      await upload.complete()
      assert.equal(await world.text(Bucket, 'copied'), text)
    }
  })
})
