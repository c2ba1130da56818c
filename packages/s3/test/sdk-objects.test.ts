import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type TestServer, openServer } from './support/open-server.ts'
import { answered, sdkClient } from './support/sdk-client.ts'

const Bucket = 'a-bucket'
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

describe('the AWS SDK: buckets', () => {
  test('made, listed, looked at, located, deleted', async () => {
    await client.send(new s3.CreateBucketCommand({ Bucket: 'another' }))
    await client.send(new s3.CreateBucketCommand({ Bucket: 'another' }))
    const { Buckets, Owner } = await client.send(new s3.ListBucketsCommand({}))
    assert.ok(Buckets?.some(({ Name }) => Name === 'another'))
    assert.equal(Owner?.DisplayName, 'weft')
    await client.send(new s3.HeadBucketCommand({ Bucket: 'another' }))
    assert.equal(
      (await client.send(new s3.GetBucketLocationCommand({ Bucket: 'another' }))).LocationConstraint,
      undefined,
    )
    await client.send(new s3.PutObjectCommand({ Bucket: 'another', Key: 'x', Body: 'x' }))
    await assert.rejects(
      client.send(new s3.DeleteBucketCommand({ Bucket: 'another' })),
      answered('BucketNotEmpty', 409),
    )
    await client.send(new s3.DeleteObjectCommand({ Bucket: 'another', Key: 'x' }))
    await client.send(new s3.DeleteBucketCommand({ Bucket: 'another' }))
    await assert.rejects(client.send(new s3.HeadBucketCommand({ Bucket: 'another' })), answered('NotFound', 404))
    await assert.rejects(client.send(new s3.CreateBucketCommand({ Bucket: 'A_B' })), answered('InvalidBucketName', 400))
  })

  test('tags, and settings of a store of one owner', async () => {
    await assert.rejects(client.send(new s3.GetBucketTaggingCommand({ Bucket })), answered('NoSuchTagSet', 404))
    await client.send(
      new s3.PutBucketTaggingCommand({
        Bucket,
        Tagging: { TagSet: [{ Key: 'k', Value: 'a & <b>'.replace(/[&<>]/g, '+') }] },
      }),
    )
    const { TagSet } = await client.send(new s3.GetBucketTaggingCommand({ Bucket }))
    assert.deepEqual(TagSet, [{ Key: 'k', Value: 'a + +b+' }])
    await client.send(new s3.DeleteBucketTaggingCommand({ Bucket }))
    const { Grants } = await client.send(new s3.GetBucketAclCommand({ Bucket }))
    assert.deepEqual([Grants?.length, Grants?.[0]?.Permission], [1, 'FULL_CONTROL'])
    assert.equal(Grants?.[0]?.Grantee?.Type, 'CanonicalUser')
    await client.send(new s3.PutBucketAclCommand({ Bucket, ACL: 'private' }))
    await assert.rejects(
      client.send(new s3.PutBucketAclCommand({ Bucket, ACL: 'public-read' })),
      answered('AccessControlListNotSupported'),
    )
    await assert.rejects(client.send(new s3.GetBucketPolicyCommand({ Bucket })), answered('NoSuchBucketPolicy', 404))
    await assert.rejects(client.send(new s3.GetBucketCorsCommand({ Bucket })), answered('NoSuchCORSConfiguration', 404))
    await assert.rejects(
      client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket })),
      answered('NoSuchLifecycleConfiguration', 404),
    )
    await client.send(new s3.DeleteBucketPolicyCommand({ Bucket }))
    await assert.rejects(
      client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: '{}' })),
      answered('NotImplemented', 501),
    )
    const block = await client.send(new s3.GetPublicAccessBlockCommand({ Bucket }))
    assert.equal(block.PublicAccessBlockConfiguration?.BlockPublicAcls, true)
    await client.send(new s3.GetBucketNotificationConfigurationCommand({ Bucket }))
    assert.equal((await client.send(new s3.GetBucketRequestPaymentCommand({ Bucket }))).Payer, 'BucketOwner')
    await assert.rejects(
      client.send(new s3.DeleteBucketReplicationCommand({ Bucket: 'no-such' })),
      answered('NoSuchBucket', 404),
    )
  })
})

describe('the AWS SDK: objects', () => {
  test('put and got with all that is kept beside the bytes', async () => {
    const made = await put('dir/päth', 'hello', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment',
      ContentEncoding: 'identity',
      ContentLanguage: 'de',
      Metadata: { some: 'thing' },
      Tagging: 'a=b',
    })
    assert.equal(made.ETag, `"${createHash('md5').update('hello').digest('hex')}"`)
    const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'dir/päth' }))
    assert.equal(await got.Body?.transformToString(), 'hello')
    assert.deepEqual(
      [
        got.ContentType,
        got.CacheControl,
        got.ContentDisposition,
        got.ContentEncoding,
        got.ContentLanguage,
        got.TagCount,
      ],
      ['text/plain', 'no-store', 'attachment', 'identity', 'de', 1],
    )
    assert.deepEqual(got.Metadata, { some: 'thing' })
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'dir/päth' }))
    assert.deepEqual([head.ContentLength, head.ETag, head.AcceptRanges], [5, made.ETag, 'bytes'])
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'dir/päth' }))
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'dir/päth' }))
    await assert.rejects(textOf({ Key: 'dir/päth' }), answered('NoSuchKey', 404))
    await assert.rejects(client.send(new s3.HeadObjectCommand({ Bucket, Key: 'dir/päth' })), answered('NotFound', 404))
    await assert.rejects(
      client.send(new s3.GetObjectCommand({ Bucket: 'no-such', Key: 'x' })),
      answered('NoSuchBucket', 404),
    )
  })

  const odd = [
    '..',
    '../x',
    'a//b',
    '/lead',
    'a/./b',
    'sp ace+plus',
    '日本/🧵',
    'per%cent',
    'a?b#c',
    'line\nfeed\r',
    '\u0001\u001f\u007f',
    "!*'()",
    'x'.repeat(1024),
  ]
  for (const Key of odd)
    test(`key ${JSON.stringify(Key.slice(0, 20))}`, async () => {
      await put(Key, Key)
      assert.equal(await textOf({ Key }), Key)
      const prefix = Key.slice(0, 100)
      const list = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: prefix, EncodingType: 'url' }))
      assert.deepEqual(
        list.Contents?.map((each) => decodeURIComponent(each.Key ?? '')),
        [Key],
      )
      const source = `${Bucket}/${encodeURIComponent(Key)}`
      await client.send(new s3.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: source }))
      assert.equal(await textOf({ Key: 'copy' }), Key)
      const gone = await client.send(
        new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }], Quiet: true } }),
      )
      assert.equal(gone.Errors, undefined)
      await assert.rejects(textOf({ Key }), answered('NoSuchKey'))
    })

  test('a key that is too long, and metadata', async () => {
    await assert.rejects(put('x'.repeat(1025), ''), answered('KeyTooLongError', 400))
    await assert.rejects(put('x', '', { Metadata: { a: 'x'.repeat(2048) } }), answered('MetadataTooLarge', 400))
  })

  test('nothing in it, and 20 MiB from a stream', async () => {
    await put('empty', '')
    assert.equal(await textOf({ Key: 'empty' }), '')
    const bytes = randomBytes(20 << 20)
    const Body = Readable.from([bytes.subarray(0, 7), bytes.subarray(7)], { objectMode: false })
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'large', Body, ContentLength: bytes.length }))
    const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'large' }))
    assert.ok(bytes.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0)))
  })

  test('ranges', async () => {
    await put('digits', '0123456789')
    assert.equal(await textOf({ Key: 'digits', Range: 'bytes=2-4' }), '234')
    assert.equal(await textOf({ Key: 'digits', Range: 'bytes=7-' }), '789')
    assert.equal(await textOf({ Key: 'digits', Range: 'bytes=-3' }), '789')
    const part = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'digits', Range: 'bytes=0-99' }))
    assert.deepEqual([part.ContentRange, part.ContentLength, part.$metadata.httpStatusCode], ['bytes 0-9/10', 10, 206])
    await part.Body?.transformToString()
    await assert.rejects(textOf({ Key: 'digits', Range: 'bytes=10-' }), answered('InvalidRange', 416))
  })

  test('conditions of reads and of writes', async () => {
    const { ETag } = await put('cond', '1')
    assert.equal(await textOf({ Key: 'cond', IfMatch: ETag }), '1')
    await assert.rejects(textOf({ Key: 'cond', IfMatch: '"x"' }), answered('PreconditionFailed', 412))
    await assert.rejects(
      textOf({ Key: 'cond', IfNoneMatch: ETag }),
      (error: s3.S3ServiceException) => error.$metadata.httpStatusCode === 304,
    )
    await assert.rejects(put('cond', '2', { IfNoneMatch: '*' }), answered('PreconditionFailed', 412))
    await assert.rejects(put('cond', '2', { IfMatch: '"x"' }), answered('PreconditionFailed', 412))
    await assert.rejects(put('not-there', '2', { IfMatch: '"x"' }), answered('NoSuchKey', 404))
    assert.equal(await textOf({ Key: 'cond' }), '1')
    await put('cond', '2', ETag === undefined ? {} : { IfMatch: ETag })
    await put('cond-new', '1', { IfNoneMatch: '*' })
  })

  test('answers say what the query wants', async () => {
    await put('override', 'x')
    const got = await client.send(
      new s3.GetObjectCommand({
        Bucket,
        Key: 'override',
        ResponseContentType: 'a/b',
        ResponseCacheControl: 'no-cache',
      }),
    )
    assert.deepEqual([got.ContentType, got.CacheControl], ['a/b', 'no-cache'])
    await got.Body?.transformToString()
  })

  test('tags of an object', async () => {
    const Key = 'tagged'
    await put(Key, 'x', { Tagging: 'a=1&b=2' })
    assert.equal((await client.send(new s3.GetObjectTaggingCommand({ Bucket, Key }))).TagSet?.length, 2)
    await client.send(new s3.PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [{ Key: 'c', Value: '' }] } }))
    assert.deepEqual((await client.send(new s3.GetObjectTaggingCommand({ Bucket, Key }))).TagSet, [
      { Key: 'c', Value: '' },
    ])
    await client.send(new s3.DeleteObjectTaggingCommand({ Bucket, Key }))
    assert.deepEqual((await client.send(new s3.GetObjectTaggingCommand({ Bucket, Key }))).TagSet, [])
    const TagSet = Array.from({ length: 11 }, (_, at) => ({ Key: `k${at}`, Value: '' }))
    await assert.rejects(
      client.send(new s3.PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } })),
      answered('BadRequest', 400),
    )
  })

  test('copies: as it is, with other metadata, onto itself, with conditions', async () => {
    const { ETag } = await put('src', 'source', { Metadata: { a: '1' }, ContentType: 'a/a', Tagging: 't=1' })
    const copy = (more: Partial<s3.CopyObjectCommandInput>) =>
      client.send(new s3.CopyObjectCommand({ Bucket, Key: 'dst', CopySource: `${Bucket}/src`, ...more }))
    assert.equal((await copy({})).CopyObjectResult?.ETag, ETag)
    const head = () => client.send(new s3.HeadObjectCommand({ Bucket, Key: 'dst' }))
    assert.deepEqual([(await head()).Metadata, (await head()).ContentType], [{ a: '1' }, 'a/a'])
    await copy({ MetadataDirective: 'REPLACE', Metadata: { b: '2' }, ContentType: 'b/b' })
    assert.deepEqual([(await head()).Metadata, (await head()).ContentType], [{ b: '2' }, 'b/b'])
    await copy({ TaggingDirective: 'REPLACE', Tagging: 'u=2' })
    assert.deepEqual((await client.send(new s3.GetObjectTaggingCommand({ Bucket, Key: 'dst' }))).TagSet, [
      { Key: 'u', Value: '2' },
    ])
    await assert.rejects(copy({ Key: 'src' }), answered('InvalidRequest', 400))
    await copy({ Key: 'src', MetadataDirective: 'REPLACE' })
    await assert.rejects(copy({ CopySourceIfMatch: '"x"' }), answered('PreconditionFailed', 412))
    await assert.rejects(copy({ CopySourceIfNoneMatch: ETag }), answered('PreconditionFailed', 412))
    await assert.rejects(copy({ CopySource: `${Bucket}/none` }), answered('NoSuchKey', 404))
  })

  test('1,000 at once are deleted, more are refused', async () => {
    await put('many/1', 'x')
    const objects = (count: number) => Array.from({ length: count }, (_, at) => ({ Key: `many/${at}` }))
    const done = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: objects(1000) } }))
    assert.equal(done.Deleted?.length, 1000)
    await assert.rejects(
      client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: objects(1001) } })),
      answered('MalformedXML', 400),
    )
  })
})
