import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type TestServer, openServer } from './support/open-server.ts'
import { answered, sdkClient } from './support/sdk-client.ts'

const Bucket = 'transfers'
let server: TestServer
let client: s3.S3Client

before(async () => {
  server = await openServer()
  client = sdkClient(server)
  await client.send(new s3.CreateBucketCommand({ Bucket }))
})
after(async () => {
  client.destroy()
  await server[Symbol.asyncDispose]()
})

async function textOf(input: Omit<s3.GetObjectCommandInput, 'Bucket'>): Promise<string> {
  const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, ...input }))
  return (await Body?.transformToString()) ?? ''
}
const put = (Key: string, Body: string, more: Partial<s3.PutObjectCommandInput> = {}) =>
  client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...more }))

describe('the AWS SDK: checksums', () => {
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)
    test(ChecksumAlgorithm, async () => {
      const made = await put('sum', 'checked', { ChecksumAlgorithm })
      const name = `Checksum${ChecksumAlgorithm}` as const
      assert.ok(made[name])
      const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'sum', ChecksumMode: 'ENABLED' }))
      assert.equal(got[name], made[name])
      assert.equal(await got.Body?.transformToString(), 'checked')
      const attributes = await client.send(
        new s3.GetObjectAttributesCommand({
          Bucket,
          Key: 'sum',
          ObjectAttributes: ['Checksum', 'ObjectSize', 'ETag', 'StorageClass'],
        }),
      )
      assert.deepEqual([attributes.Checksum?.[name], attributes.ObjectSize], [made[name], 7])
      await assert.rejects(put('sum-bad', 'other', { [name]: made[name] }), answered('BadDigest', 400))
      await assert.rejects(textOf({ Key: 'sum-bad' }), answered('NoSuchKey'))
    })

  test('Content-MD5', async () => {
    const ContentMD5 = createHash('md5').update('right').digest('base64')
    await put('md5', 'right', { ContentMD5 })
    await assert.rejects(put('md5', 'wrong', { ContentMD5 }), answered('BadDigest', 400))
    await assert.rejects(put('md5', 'wrong', { ContentMD5: 'x' }), answered('InvalidDigest', 400))
    assert.equal(await textOf({ Key: 'md5' }), 'right')
  })
})

describe('the AWS SDK: multipart', () => {
  const part = 5 << 20
  test('lib-storage, with its default checksums', async () => {
    const bytes = randomBytes(2 * part + 100)
    const upload = new Upload({
      client,
      params: { Bucket, Key: 'multi', Body: Readable.from([bytes], { objectMode: false }), Metadata: { m: '1' } },
      partSize: part,
    })
    const done = await upload.done()
    assert.match(done.ETag ?? '', /^"[0-9a-f]{32}-3"$/)
    const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'multi' }))
    assert.ok(bytes.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0)))
    assert.deepEqual(got.Metadata, { m: '1' })
    const second = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'multi', PartNumber: 3 }))
    assert.deepEqual(
      [second.PartsCount, second.ContentLength, second.ContentRange],
      [3, 100, `bytes ${2 * part}-${2 * part + 99}/${2 * part + 100}`],
    )
    await second.Body?.transformToString()
    await assert.rejects(textOf({ Key: 'multi', PartNumber: 4 }), answered('InvalidPartNumber', 416))
  })

  for (const [ChecksumAlgorithm, ChecksumType] of [
    ['SHA256', 'COMPOSITE'],
    ['CRC32C', 'FULL_OBJECT'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['CRC32', 'COMPOSITE'],
  ] as const)
    test(`by hand, ${ChecksumAlgorithm} ${ChecksumType}`, async () => {
      const Key = `hand-${ChecksumAlgorithm}`
      const { UploadId } = await client.send(
        new s3.CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm, ChecksumType }),
      )
      const bodies = [randomBytes(part), randomBytes(10)]
      const Parts: s3.CompletedPart[] = []
      for (const [at, Body] of bodies.entries()) {
        const made = await client.send(
          new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: at + 1, Body, ChecksumAlgorithm }),
        )
        Parts.push({
          PartNumber: at + 1,
          ETag: made.ETag,
          [`Checksum${ChecksumAlgorithm}`]: made[`Checksum${ChecksumAlgorithm}`],
        })
      }
      const done = await client.send(
        new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      )
      const sum = done[`Checksum${ChecksumAlgorithm}`] ?? ''
      assert.equal(sum.endsWith('-2'), ChecksumType === 'COMPOSITE')
      if (ChecksumType === 'FULL_OBJECT') {
        const whole = await client.send(
          new s3.PutObjectCommand({ Bucket, Key: 'whole', Body: Buffer.concat(bodies), ChecksumAlgorithm }),
        )
        assert.equal(sum, whole[`Checksum${ChecksumAlgorithm}`])
      }
      const { ObjectParts } = await client.send(
        new s3.GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectParts'] }),
      )
      const name = `Checksum${ChecksumAlgorithm}` as const
      assert.deepEqual(
        ObjectParts?.Parts?.map((each) => [each.PartNumber, each.Size, each[name]]),
        bodies.map((body, at) => [at + 1, body.length, Parts[at]?.[name]]),
      )
      // A client whose connection broke asks again.
      const again = await client.send(
        new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      )
      assert.equal(again.ETag, done.ETag)
    })

  test('parts and uploads are listed, copied, aborted; what does not fit is refused', async () => {
    const Key = 'uploads/one'
    await put('copied', '0123456789')
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }))
    const { CopyPartResult } = await client.send(
      new s3.UploadPartCopyCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber: 2,
        CopySource: `${Bucket}/copied`,
        CopySourceRange: 'bytes=2-4',
      }),
    )
    const { ETag } = await client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }))
    const listed = await client.send(new s3.ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }))
    assert.deepEqual([listed.Parts?.length, listed.IsTruncated, listed.NextPartNumberMarker], [1, true, '1'])
    const uploads = await client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: 'uploads/' }))
    assert.deepEqual(
      uploads.Uploads?.map((each) => each.Key),
      [Key],
    )
    const complete = (Parts: s3.CompletedPart[]) =>
      client.send(new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
    const [one, two] = [
      { PartNumber: 1, ETag },
      { PartNumber: 2, ETag: CopyPartResult?.ETag },
    ]
    await assert.rejects(complete([one, two]), answered('EntityTooSmall', 400))
    await assert.rejects(complete([two, one]), answered('InvalidPartOrder', 400))
    await assert.rejects(complete([{ PartNumber: 1, ETag: '"x"' }]), answered('InvalidPart', 400))
    await assert.rejects(complete([]), answered('MalformedXML', 400))
    await assert.rejects(
      client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 10_001, Body: 'x' })),
      answered('InvalidArgument', 400),
    )
    await assert.rejects(
      client.send(
        new s3.UploadPartCopyCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber: 3,
          CopySource: `${Bucket}/copied`,
          CopySourceRange: 'bytes=2-10',
        }),
      ),
      answered('InvalidRange', 416),
    )
    await complete([two])
    assert.equal(await textOf({ Key }), '234')
    const other = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }))
    await client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId: other.UploadId }))
    await assert.rejects(
      client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId: other.UploadId, PartNumber: 1, Body: 'x' })),
      answered('NoSuchUpload', 404),
    )
  })
})

describe('the AWS SDK: presigned URLs', () => {
  test('GET, HEAD, PUT and DELETE, with what was moved into the URL', async () => {
    const sign = (command: object) =>
      getSignedUrl(client, command as Parameters<typeof getSignedUrl>[1], { expiresIn: 60 })
    const putUrl = await sign(
      new s3.PutObjectCommand({ Bucket, Key: 'signed url', Metadata: { a: 'b c' }, ContentType: 'a/b' }),
    )
    const made = await fetch(putUrl, { method: 'PUT', body: 'by url', headers: { 'content-type': 'a/b' } })
    assert.equal(made.status, 200, await made.text())
    const get = await fetch(
      await sign(new s3.GetObjectCommand({ Bucket, Key: 'signed url', ResponseContentType: 'c/d' })),
    )
    assert.deepEqual([get.status, get.headers.get('content-type'), await get.text()], [200, 'c/d', 'by url'])
    const head = await fetch(await sign(new s3.HeadObjectCommand({ Bucket, Key: 'signed url' })), { method: 'HEAD' })
    assert.equal(head.headers.get('x-amz-meta-a'), 'b c')
    const other = await fetch(
      (await sign(new s3.GetObjectCommand({ Bucket, Key: 'signed url' }))).replace('signed', 'singed'),
    )
    assert.equal(other.status, 403)
    const gone = await fetch(await sign(new s3.DeleteObjectCommand({ Bucket, Key: 'signed url' })), {
      method: 'DELETE',
    })
    assert.equal(gone.status, 204)
  })

  test('a URL whose time is over neither reads nor writes; one of the same age that lasts longer reads', async () => {
    const name = { Bucket, Key: 'old url' }
    await client.send(new s3.PutObjectCommand({ ...name, Body: 'kept' }))
    const anHourAgo = { signingDate: new Date(Date.now() - 3_600_000) }
    const expired = { ...anHourAgo, expiresIn: 1_800 }
    const get = await fetch(await getSignedUrl(client, new s3.GetObjectCommand(name), expired))
    assert.equal(get.status, 403)
    assert.match(await get.text(), /<Code>AccessDenied<\/Code><Message>Request has expired/)
    const put = await fetch(await getSignedUrl(client, new s3.PutObjectCommand(name), expired), {
      method: 'PUT',
      body: 'other',
    })
    assert.equal(put.status, 403)
    const lasts = { ...anHourAgo, expiresIn: 86_400 }
    assert.equal(await (await fetch(await getSignedUrl(client, new s3.GetObjectCommand(name), lasts))).text(), 'kept')
  })
})
