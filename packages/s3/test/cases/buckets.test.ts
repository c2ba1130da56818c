import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { listOf } from '../support/lists.ts'
import { answered, sdkClient } from '../support/sdk-client.ts'

const world = new CaseWorld()

/** What no list before had. */
async function namesOfAll(): Promise<string[]> {
  const { Buckets = [] } = await world.client.listBuckets({})
  return Buckets.map(({ Name = '' }) => Name)
}

describe('cases: buckets', () => {
  test('made, deleted when empty, and then not there', async () => {
    const Bucket = await world.bucket(['foo'])
    await assert.rejects(world.client.deleteBucket({ Bucket }), answered('BucketNotEmpty', 409))
    await world.client.deleteObject({ Bucket, Key: 'foo' })
    await world.client.deleteBucket({ Bucket })
    await assert.rejects(world.client.deleteBucket({ Bucket }), answered('NoSuchBucket', 404))
  })

  test('looked at', async () => {
    await world.client.headBucket({ Bucket: await world.bucket() })
    await assert.rejects(world.client.headBucket({ Bucket: world.name() }), answered('NotFound', 404))
  })

  test('made once more it keeps what it has', async () => {
    const Bucket = await world.bucket(['mykey1', 'mykey2'])
    await world.client.createBucket({ Bucket })
    assert.deepEqual(listOf(await world.client.listObjects({ Bucket })), ['mykey1', 'mykey2'])
  })

  test('its location', async () => {
    const Bucket = await world.bucket()
    assert.equal((await world.client.getBucketLocation({ Bucket })).LocationConstraint, undefined)
    await assert.rejects(
      world.client.createBucket({
        Bucket: world.name(),
        CreateBucketConfiguration: { LocationConstraint: 'eu-north-1' },
      }),
      answered('IllegalLocationConstraintException', 400),
    )
  })

  test('names that are none', async () => {
    const bad = ['_foo', 'a', 'aa', 'foo_bar', 'a'.repeat(64), 'foo-', '-foo', '.foo', 'foo.', 'foo..bar', 'Foo']
    for (const Bucket of bad)
      await assert.rejects(world.client.createBucket({ Bucket }), answered('InvalidBucketName', 400), Bucket)
  })

  test('names that could not stand before a domain', async () => {
    for (const Bucket of ['192.168.5.123', 'foo.-bar', 'foo-.bar'])
      await assert.rejects(world.client.createBucket({ Bucket }), answered('InvalidBucketName', 400), Bucket)
  })

  test('names that are well, up to 63 letters', async () => {
    const long = [60, 61, 62, 63].map((length) => 'a'.repeat(length))
    for (const Bucket of [...long, 'alpha', '0digit', 'aaa.111', 'aaa-111']) {
      await world.client.createBucket({ Bucket })
      assert.deepEqual(listOf(await world.client.listObjects({ Bucket })), [])
      await world.client.deleteBucket({ Bucket })
    }
  })

  test('all of them are listed, with when they were made', async () => {
    const before = Date.now() - 86_400_000
    const made = [await world.bucket(), await world.bucket(), await world.bucket()]
    const { Buckets = [] } = await world.client.listBuckets({})
    for (const name of made) {
      const found = Buckets.find(({ Name }) => Name === name)
      assert.ok(found?.CreationDate !== undefined && found.CreationDate.getTime() > before)
    }
  })

  test('listed by pages', async () => {
    await world.bucket()
    await world.bucket()
    const wanted = await namesOfAll()
    const seen: string[] = []
    for (let ContinuationToken: string | undefined; ;) {
      const page = await world.client.listBuckets({ MaxBuckets: 1, ContinuationToken })
      seen.push(...(page.Buckets ?? []).map(({ Name = '' }) => Name))
      assert.ok((page.Buckets?.length ?? 0) <= 1)
      ContinuationToken = page.ContinuationToken
      if (ContinuationToken === undefined) break
    }
    assert.deepEqual(seen, wanted)
  })

  test('nobody lists them with a key or a secret that is wrong', async () => {
    const { all } = world.server.keys
    for (const [key, code] of [
      [{ ...all, accessKeyId: 'AAAAAAAAAAAAAAAAAAAA' }, 'InvalidAccessKeyId'],
      [{ ...all, secretAccessKey: 'badauth' }, 'SignatureDoesNotMatch'],
    ] as const) {
      const client = sdkClient(world.server, key)
      await assert.rejects(client.listBuckets({}), answered(code, 403))
      client.destroy()
    }
  })

  test('a key for another bucket may nothing here', async () => {
    const Bucket = await world.bucket(['foo'])
    const other = sdkClient(world.server, world.server.keys.one)
    const denied = answered('AccessDenied', 403)
    await assert.rejects(other.listObjects({ Bucket }), denied)
    await assert.rejects(other.listObjectsV2({ Bucket }), denied)
    await assert.rejects(other.getObject({ Bucket, Key: 'foo' }), denied)
    await assert.rejects(other.putObject({ Bucket, Key: 'foo', Body: 'x' }), denied)
    await assert.rejects(other.putObject({ Bucket, Key: 'new', Body: 'x' }), denied)
    await assert.rejects(other.copyObject({ Bucket, Key: 'new', CopySource: `${Bucket}/foo` }), denied)
    await other.createBucket({ Bucket: 'only-this' })
    await assert.rejects(other.copyObject({ Bucket: 'only-this', Key: 'new', CopySource: `${Bucket}/foo` }), denied)
    assert.equal(await world.text(Bucket, 'foo'), 'foo')
    other.destroy()
  })

  test('a bucket that belongs to somebody else than the client expects', async () => {
    const Bucket = await world.bucket(['foo'])
    const denied = answered('AccessDenied', 403)
    const { Owner } = await world.client.getBucketAcl({ Bucket })
    const right = Owner?.ID ?? ''
    await world.client.listObjects({ Bucket, ExpectedBucketOwner: right })
    const wrong = { Bucket, ExpectedBucketOwner: `${right}foo` }
    await assert.rejects(world.client.listObjects(wrong), denied)
    await assert.rejects(world.client.putObject({ ...wrong, Key: 'bar', Body: 'coffee' }), denied)
    await assert.rejects(world.client.deleteObject({ ...wrong, Key: 'foo' }), denied)
    const copy = { Bucket, Key: 'bar', CopySource: `${Bucket}/foo` }
    await assert.rejects(world.client.copyObject({ ...copy, ExpectedSourceBucketOwner: 'foo' }), denied)
    await world.client.copyObject({ ...copy, ExpectedSourceBucketOwner: right })
    assert.deepEqual(listOf(await world.client.listObjects({ Bucket })), ['bar', 'foo'])
  })

  test('who owns what is put is the owner of the bucket, always', async () => {
    const Bucket = world.name()
    await world.client.createBucket({ Bucket, ObjectOwnership: 'BucketOwnerEnforced' })
    const { OwnershipControls } = await world.client.getBucketOwnershipControls({ Bucket })
    assert.deepEqual(OwnershipControls?.Rules, [{ ObjectOwnership: 'BucketOwnerEnforced' }])
    for (const ObjectOwnership of ['BucketOwnerPreferred', 'ObjectWriter'] as const)
      await assert.rejects(
        world.client.createBucket({ Bucket: world.name(), ObjectOwnership }),
        answered('AccessControlListNotSupported', 400),
      )
  })

  test('tags of a bucket', async () => {
    const Bucket = await world.bucket()
    await assert.rejects(world.client.getBucketTagging({ Bucket }), answered('NoSuchTagSet', 404))
    const TagSet = [{ Key: 'Hello', Value: 'World' }]
    await world.client.putBucketTagging({ Bucket, Tagging: { TagSet } })
    assert.deepEqual((await world.client.getBucketTagging({ Bucket })).TagSet, TagSet)
    await world.client.deleteBucketTagging({ Bucket })
    await assert.rejects(world.client.getBucketTagging({ Bucket }), answered('NoSuchTagSet', 404))
  })
})
