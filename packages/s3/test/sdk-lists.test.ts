import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type TestServer, openServer } from './support/open-server.ts'
import { answered, sdkClient } from './support/sdk-client.ts'

const Bucket = 'lists'
const KEYS = ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/4', 'ü', '\u{1f9f5}', '\uffee']
/** In the order of UTF-8 bytes, which is not that of UTF-16. */
const ORDERED = ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/4', 'ü', '\uffee', '\u{1f9f5}']
const FOLDED = new Set(['a', 'b/', 'd', 'e/', 'ü', '\uffee', '\u{1f9f5}'])
let server: TestServer
let client: s3.S3Client

before(async () => {
  server = await openServer()
  client = sdkClient(server)
  await client.send(new s3.CreateBucketCommand({ Bucket }))
  for (const Key of KEYS) await client.send(new s3.PutObjectCommand({ Bucket, Key, Body: Key }))
})
after(async () => {
  client.destroy()
  await server[Symbol.asyncDispose]()
})

const list = (input: Partial<s3.ListObjectsV2CommandInput>) =>
  client.send(new s3.ListObjectsV2Command({ Bucket, ...input }))
const keysOf = (found: s3.ListObjectsV2CommandOutput) => found.Contents?.map(({ Key }) => Key) ?? []
const prefixesOf = (found: s3.ListObjectsV2CommandOutput) => found.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? []

describe('the AWS SDK: lists', () => {
  test('all, in order', async () => {
    const found = await list({})
    assert.deepEqual(keysOf(found), ORDERED)
    assert.deepEqual([found.KeyCount, found.IsTruncated, found.MaxKeys], [9, false, 1000])
    assert.equal(found.Contents?.[0]?.Owner, undefined)
    assert.equal((await list({ FetchOwner: true })).Contents?.[0]?.Owner?.DisplayName, 'weft')
  })

  for (const size of [1, 2, 3, 8])
    test(`by pages of ${size}, flat and with a delimiter`, async () => {
      const all: (string | undefined)[] = []
      for await (const page of s3.paginateListObjectsV2({ client, pageSize: size }, { Bucket }))
        all.push(...keysOf(page))
      assert.deepEqual(all, ORDERED)
      const seen: (string | undefined)[] = []
      for await (const page of s3.paginateListObjectsV2({ client, pageSize: size }, { Bucket, Delimiter: '/' }))
        seen.push(...keysOf(page), ...prefixesOf(page))
      assert.equal(seen.length, FOLDED.size)
      assert.deepEqual(new Set(seen), FOLDED)
    })

  test('prefix, delimiter, start-after, none at all', async () => {
    const found = await list({ Prefix: 'b/', Delimiter: '/' })
    assert.deepEqual([keysOf(found), prefixesOf(found)], [['b/1', 'b/2'], ['b/c/']])
    assert.deepEqual(keysOf(await list({ StartAfter: 'd' })), ORDERED.slice(5))
    assert.deepEqual(keysOf(await list({ StartAfter: 'c' })), ORDERED.slice(4))
    // One that a start lies in was in an earlier page, as far as anybody can tell.
    assert.deepEqual(prefixesOf(await list({ StartAfter: 'b/1', Delimiter: '/' })), ['e/'])
    const none = await list({ MaxKeys: 0 })
    assert.deepEqual([keysOf(none), none.IsTruncated, none.KeyCount], [[], false, 0])
    assert.deepEqual(keysOf(await list({ Prefix: 'zz' })), [])
  })

  test('what is none is refused', async () => {
    await assert.rejects(list({ ContinuationToken: '!' }), answered('InvalidArgument', 400))
    await assert.rejects(list({ MaxKeys: -1 }), answered('InvalidArgument', 400))
    await assert.rejects(list({ EncodingType: 'x' as 'url' }), answered('InvalidArgument', 400))
    await assert.rejects(list({ Bucket: 'no-such' }), answered('NoSuchBucket', 404))
  })

  test('the first form of lists, with markers', async () => {
    const seen: (string | undefined)[] = []
    let Marker: string | undefined
    for (;;) {
      const page = await client.send(new s3.ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2, Marker }))
      seen.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      )
      if (page.IsTruncated !== true) break
      Marker = page.NextMarker
    }
    assert.equal(seen.length, FOLDED.size)
    assert.deepEqual(new Set(seen), FOLDED)
    const flat = await client.send(new s3.ListObjectsCommand({ Bucket, MaxKeys: 1 }))
    assert.deepEqual([flat.IsTruncated, flat.NextMarker], [true, undefined])
  })

  test('encoded for XML', async () => {
    const found = await list({ EncodingType: 'url', Prefix: 'ü' })
    assert.deepEqual([keysOf(found), found.Prefix, found.EncodingType], [['%C3%BC'], '%C3%BC', 'url'])
  })
})

describe('the AWS SDK: versions', () => {
  const name = { Bucket: 'versions' }
  const Key = 'key'
  const put = async (Body: string) => (await client.send(new s3.PutObjectCommand({ ...name, Key, Body }))).VersionId
  const text = async (VersionId?: string) =>
    (await client.send(new s3.GetObjectCommand({ ...name, Key, VersionId }))).Body?.transformToString()

  test('kept, listed, got, copied, tagged, deleted by id', async () => {
    await client.send(new s3.CreateBucketCommand(name))
    assert.equal((await client.send(new s3.GetBucketVersioningCommand(name))).Status, undefined)
    assert.equal(await put('zero'), undefined)
    const set = (Status: 'Enabled' | 'Suspended') =>
      client.send(new s3.PutBucketVersioningCommand({ ...name, VersioningConfiguration: { Status } }))
    await set('Enabled')
    assert.equal((await client.send(new s3.GetBucketVersioningCommand(name))).Status, 'Enabled')
    const [one, two] = [await put('one'), await put('two')]
    assert.ok(one !== undefined && two !== undefined && one !== two)
    assert.deepEqual([await text(), await text(one), await text('null')], ['two', 'one', 'zero'])
    const marker = await client.send(new s3.DeleteObjectCommand({ ...name, Key }))
    assert.equal(marker.DeleteMarker, true)
    await assert.rejects(text(), answered('NoSuchKey', 404))
    await assert.rejects(text(marker.VersionId), answered('MethodNotAllowed', 405))
    const all = await client.send(new s3.ListObjectVersionsCommand(name))
    assert.deepEqual(
      all.Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
      [
        [two, false],
        [one, false],
        ['null', false],
      ],
    )
    assert.deepEqual(
      all.DeleteMarkers?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
      [[marker.VersionId, true]],
    )
    const seen: (string | undefined)[] = []
    for (let KeyMarker: string | undefined, VersionIdMarker: string | undefined; ;) {
      const page = await client.send(
        new s3.ListObjectVersionsCommand({ ...name, MaxKeys: 1, KeyMarker, VersionIdMarker }),
      )
      seen.push(...[...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ VersionId }) => VersionId))
      if (page.IsTruncated !== true) break
      KeyMarker = page.NextKeyMarker
      VersionIdMarker = page.NextVersionIdMarker
    }
    assert.deepEqual(seen, [marker.VersionId, two, one, 'null'])
    const copied = await client.send(
      new s3.CopyObjectCommand({ ...name, Key, CopySource: `versions/${Key}?versionId=${one}` }),
    )
    assert.equal(copied.CopySourceVersionId, one)
    assert.equal(await text(), 'one')
    const TagSet = [{ Key: 't', Value: '1' }]
    await client.send(new s3.PutObjectTaggingCommand({ ...name, Key, VersionId: two, Tagging: { TagSet } }))
    assert.deepEqual(
      (await client.send(new s3.GetObjectTaggingCommand({ ...name, Key, VersionId: two }))).TagSet,
      TagSet,
    )
    assert.deepEqual((await client.send(new s3.GetObjectTaggingCommand({ ...name, Key }))).TagSet, [])
    const gone = await client.send(new s3.DeleteObjectCommand({ ...name, Key, VersionId: two }))
    assert.equal(gone.VersionId, two)
    await assert.rejects(text(two), answered('NoSuchVersion', 404))
    await set('Suspended')
    assert.equal(await put('null again'), 'null')
    const many = await client.send(
      new s3.DeleteObjectsCommand({ ...name, Delete: { Objects: [{ Key, VersionId: one }, { Key }] } }),
    )
    assert.deepEqual(
      many.Deleted?.map(({ DeleteMarker }) => DeleteMarker),
      [undefined, true],
    )
  })
})

describe('who may', () => {
  test('a key that reads, and one for one bucket', async () => {
    const reader = sdkClient(server, server.keys.reader)
    const one = sdkClient(server, server.keys.one)
    await reader.send(new s3.HeadBucketCommand({ Bucket }))
    for (const command of [
      new s3.PutObjectCommand({ Bucket, Key: 'x', Body: 'x' }),
      new s3.DeleteObjectCommand({ Bucket, Key: 'a' }),
      new s3.CreateBucketCommand({ Bucket: 'x-y-z' }),
      new s3.CreateMultipartUploadCommand({ Bucket, Key: 'x' }),
      new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }] } }),
    ] as s3.PutObjectCommand[])
      await assert.rejects(reader.send(command), answered('AccessDenied', 403))
    await one.send(new s3.CreateBucketCommand({ Bucket: 'only-this' }))
    assert.deepEqual(
      (await one.send(new s3.ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name),
      ['only-this'],
    )
    await assert.rejects(one.send(new s3.ListObjectsV2Command({ Bucket })), answered('AccessDenied', 403))
    await assert.rejects(
      one.send(new s3.CopyObjectCommand({ Bucket: 'only-this', Key: 'x', CopySource: `${Bucket}/a` })),
      answered('AccessDenied', 403),
    )
    const { accessKeyId } = server.keys.all
    const wrong = sdkClient(server, { ...server.keys.all, accessKeyId, secretAccessKey: 'wrong' })
    await assert.rejects(wrong.send(new s3.ListBucketsCommand({})), answered('SignatureDoesNotMatch', 403))
    const unknown = sdkClient(server, { ...server.keys.all, accessKeyId: 'NOBODY' })
    await assert.rejects(unknown.send(new s3.ListBucketsCommand({})), answered('InvalidAccessKeyId', 403))
    for (const each of [reader, one, wrong, unknown]) each.destroy()
  })

  test('by the name of the host', async () => {
    // Not every machine's resolver knows what is below localhost (RFC 6761, section 6.3).
    const agent = new Agent({ lookup: (_, __, found) => found(null, [{ address: '127.0.0.1', family: 4 }]) })
    const byHost = sdkClient(server, server.keys.all, {
      endpoint: `http://localhost:${server.port}`,
      forcePathStyle: false,
      requestHandler: { httpAgent: agent },
    })
    const { Contents } = await byHost.send(new s3.ListObjectsV2Command({ Bucket, Prefix: 'b/' }))
    assert.equal(Contents?.length, 3)
    const got = await byHost.send(new s3.GetObjectCommand({ Bucket, Key: 'b/c/3' }))
    assert.equal(await got.Body?.transformToString(), 'b/c/3')
    byHost.destroy()
    agent.destroy()
  })
})
