import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { listBoth, listOf, pages } from '../support/lists.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

describe('cases: lists of both forms', () => {
  test('an empty bucket lists nothing, and nothing of another one', async () => {
    await world.bucket(['other'])
    const Bucket = await world.bucket()
    for (const found of await listBoth(world, { Bucket })) assert.deepEqual(found.keys, [])
  })

  test('more keys than a page has come in pages', async () => {
    const Bucket = await world.bucket(['quxx', 'foo', 'bar', 'baz', 'a'])
    for (const found of await pages(world, { Bucket, MaxKeys: 2 }))
      assert.deepEqual(
        found.map(({ keys, truncated }) => [keys, truncated]),
        [
          [['a', 'bar'], true],
          [['baz', 'foo'], true],
          [['quxx'], false],
        ],
      )
    const { KeyCount } = await world.client.listObjectsV2({ Bucket, MaxKeys: 3 })
    assert.equal(KeyCount, 3)
  })

  test('max-keys of one, of none, and not said', async () => {
    const Bucket = await world.bucket(['bar', 'baz', 'foo', 'quxx'])
    for (const found of await listBoth(world, { Bucket, MaxKeys: 1 }))
      assert.deepEqual([found.keys, found.truncated, found.answer.MaxKeys], [['bar'], true, 1])
    for (const found of await listBoth(world, { Bucket, MaxKeys: 0 }))
      assert.deepEqual([found.keys, found.truncated, found.answer.MaxKeys], [[], false, 0])
    for (const found of await listBoth(world, { Bucket }))
      assert.deepEqual([found.keys.length, found.truncated, found.answer.MaxKeys], [4, false, 1000])
  })

  test('max-keys that is no number', async () => {
    const Bucket = await world.bucket(['bar'])
    const answer = await world.raw('GET', `/${Bucket}?max-keys=blah`)
    assert.match(answer, /^HTTP\/1\.1 400 [^]*<Code>InvalidArgument</)
  })

  test('markers that are not there, are no key, or are behind all', async () => {
    const all = ['bar', 'baz', 'foo', 'quxx']
    const Bucket = await world.bucket(all)
    const first = await world.client.listObjects({ Bucket })
    assert.equal(first.Marker, '')
    for (const [after, left] of [
      ['', all],
      ['blah', ['foo', 'quxx']],
      ['zzz', []],
    ] as const)
      for (const found of await listBoth(world, { Bucket, after })) {
        assert.deepEqual([found.keys, found.truncated], [left, false], JSON.stringify(after))
        assert.equal(found.after, after)
      }
    for (const found of await listBoth(world, { Bucket, after: '\n', EncodingType: 'url' }))
      assert.deepEqual([found.keys, found.after], [all, '%0A'])
  })

  test('continuation tokens: none, one, and one beside start-after', async () => {
    const Bucket = await world.bucket(['bar', 'baz', 'foo', 'quxx'])
    const empty = await world.client.listObjectsV2({ Bucket, ContinuationToken: '' })
    assert.deepEqual([empty.ContinuationToken, empty.IsTruncated, empty.Contents?.length], ['', false, 4])
    const one = await world.client.listObjectsV2({ Bucket, MaxKeys: 1 })
    const ContinuationToken = one.NextContinuationToken
    const rest = await world.client.listObjectsV2({ Bucket, ContinuationToken })
    assert.deepEqual([rest.ContinuationToken, rest.IsTruncated], [ContinuationToken, false])
    assert.deepEqual(listOf(rest), ['baz', 'foo', 'quxx'])
    const start = await world.client.listObjectsV2({ Bucket, StartAfter: 'bar', MaxKeys: 1 })
    const token = start.NextContinuationToken
    const both = await world.client.listObjectsV2({ Bucket, StartAfter: 'bar', ContinuationToken: token })
    assert.deepEqual([both.StartAfter, both.ContinuationToken], ['bar', token])
    assert.deepEqual(listOf(both), ['foo', 'quxx'])
  })

  test('the owner stands in the second form where it is asked for', async () => {
    const Bucket = await world.bucket(['foo'])
    for (const [FetchOwner, isThere] of [
      [true, true],
      [undefined, false],
      [false, false],
    ] as const) {
      const { Contents } = await world.client.listObjectsV2({ Bucket, FetchOwner })
      assert.equal(Contents?.[0]?.Owner !== undefined, isThere)
    }
  })

  test('a list says of objects what their heads say', async () => {
    const Bucket = await world.bucket(['bar', 'baz', 'foo'])
    const { Contents = [] } = await world.client.listObjects({ Bucket })
    assert.equal(Contents.length, 3)
    for (const { Key = '', ETag, Size, LastModified, Owner } of Contents) {
      const head = await world.client.headObject({ Bucket, Key })
      const acl = await world.client.getObjectAcl({ Bucket, Key })
      assert.deepEqual([ETag, Size, Owner], [head.ETag, head.ContentLength, acl.Owner])
      assert.equal(Math.floor((LastModified?.getTime() ?? 0) / 1_000), (head.LastModified?.getTime() ?? 1) / 1_000)
    }
  })

  test('a list of versions says of them what their heads say', async () => {
    const Bucket = await world.versioned()
    for (const Key of ['bar', 'baz', 'foo']) await world.put(Bucket, Key, Key)
    const { Versions = [] } = await world.client.listObjectVersions({ Bucket })
    assert.equal(Versions.length, 3)
    for (const { Key = '', ETag, Size, VersionId, Owner } of Versions) {
      const head = await world.client.headObject({ Bucket, Key })
      const acl = await world.client.getObjectAcl({ Bucket, Key })
      assert.deepEqual([ETag, Size, VersionId, Owner], [head.ETag, head.ContentLength, head.VersionId, acl.Owner])
    }
  })

  test('nobody lists without a key', async () => {
    const Bucket = await world.bucket(['foo'])
    for (const url of [`/${Bucket}`, `/${Bucket}?list-type=2`])
      assert.match(await world.unsigned('GET', url), /^HTTP\/1\.1 403 [^]*<Code>AccessDenied</)
  })

  test('a bucket that is not there has no list', async () => {
    const Bucket = world.name()
    await assert.rejects(world.client.listObjects({ Bucket }), answered('NoSuchBucket', 404))
    await assert.rejects(world.client.listObjectsV2({ Bucket }), answered('NoSuchBucket', 404))
  })

  test('a prefix that begins with an underscore', async () => {
    const Bucket = await world.bucket(['_bla/1', '_bla/2', '_bla/3', '_bla/4', 'abcd'])
    for (const found of await listBoth(world, { Bucket })) assert.equal(found.keys.length, 5)
    for (const found of await listBoth(world, { Bucket, Prefix: '_bla/' })) assert.equal(found.keys.length, 4)
  })
})
