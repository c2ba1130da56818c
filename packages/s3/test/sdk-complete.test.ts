import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type TestServer, openServer } from './support/open-server.ts'
import { answered, sdkClient } from './support/sdk-client.ts'

let server: TestServer

before(async () => {
  server = await openServer()
  await server.buckets.create('bucket')
})
after(() => server[Symbol.asyncDispose]())

for (const type of ['FULL_OBJECT', 'COMPOSITE'] as const) {
  test(`the checksum that completes an upload is that of the object, not of the document: ${type}`, async () => {
    const client = sdkClient(server)
    const at = { Bucket: 'bucket', Key: type }
    const checked = { ChecksumAlgorithm: 'CRC32', ChecksumType: type } as const
    const complete = async (sumOf: (whole: string) => string) => {
      const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ ...at, ...checked }))
      const part = { ...at, UploadId, PartNumber: 1, Body: 'abc', ChecksumAlgorithm: 'CRC32' } as const
      const { ETag, ChecksumCRC32 } = await client.send(new s3.UploadPartCommand(part))
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag, ChecksumCRC32 }] }
      const end = { ...at, UploadId, MultipartUpload, ChecksumType: type }
      const { ChecksumCRC32: whole = '' } = await client.send(new s3.CompleteMultipartUploadCommand(end))
      // Another one of the same bytes, whose checksum is known now.
      const second = await client.send(new s3.CreateMultipartUploadCommand({ ...at, ...checked }))
      await client.send(new s3.UploadPartCommand({ ...part, UploadId: second.UploadId }))
      const given = { ...end, UploadId: second.UploadId, ChecksumCRC32: sumOf(whole) }
      const done = await client.send(new s3.CompleteMultipartUploadCommand(given))
      assert.equal(done.ChecksumCRC32, whole)
    }
    await complete((whole) => whole)
    await complete((whole) => whole.replace(/-1$/, ''))
    for (const wrong of ['AAAAAA==', 'no checksum'])
      await assert.rejects(
        complete(() => wrong),
        answered('BadDigest', 400),
      )
  })
}

test('a checksum with a number of parts is none of a body', async () => {
  const client = sdkClient(server)
  const put = new s3.PutObjectCommand({ Bucket: 'bucket', Key: 'put', Body: 'abc', ChecksumCRC32: 'NSRBwg==-1' })
  await assert.rejects(client.send(put), answered('InvalidRequest', 400))
  assert.throws(() => server.buckets.head('bucket', 'put'))
})
