import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type * as s3 from '@aws-sdk/client-s3'
import { CaseWorld } from '../support/case-world.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

const tagsOf = async (Bucket: string) => (await world.client.getObjectTagging({ Bucket, Key: 'foo' })).TagSet
const setTags = (Bucket: string, TagSet: s3.Tag[]) =>
  world.client.putObjectTagging({ Bucket, Key: 'foo', Tagging: { TagSet } })
const tags = (count: number, key = 1, value = 1) =>
  Array.from({ length: count }, (_, at) => ({ Key: `${at}`.padStart(key, 'k'), Value: `${at}`.padStart(value, 'v') }))

describe('cases: tags of objects', () => {
  test('set, got, counted by the head', async () => {
    const Bucket = await world.bucket(['foo'])
    assert.deepEqual(await tagsOf(Bucket), [])
    await setTags(Bucket, tags(2))
    assert.deepEqual(await tagsOf(Bucket), tags(2))
    assert.equal((await world.client.headObject({ Bucket, Key: 'foo' })).TagCount, 2)
  })

  test('ten of them, with keys of 128 and values of 256 letters', async () => {
    const Bucket = await world.bucket(['foo'])
    await setTags(Bucket, tags(10))
    assert.deepEqual(await tagsOf(Bucket), tags(10))
    await setTags(Bucket, tags(10, 128, 256))
    assert.deepEqual(await tagsOf(Bucket), tags(10, 128, 256))
  })

  test('one too many, and a letter too many', async () => {
    const Bucket = await world.bucket(['foo'])
    await assert.rejects(setTags(Bucket, tags(11)), answered('BadRequest', 400))
    await assert.rejects(setTags(Bucket, tags(10, 129, 256)), answered('InvalidTag', 400))
    await assert.rejects(setTags(Bucket, tags(10, 128, 257)), answered('InvalidTag', 400))
    assert.deepEqual(await tagsOf(Bucket), [])
  })

  test('replaced, deleted', async () => {
    const Bucket = await world.bucket(['foo'])
    await setTags(Bucket, tags(2))
    await setTags(Bucket, [{ Key: 'key3', Value: 'val3' }])
    assert.deepEqual(await tagsOf(Bucket), [{ Key: 'key3', Value: 'val3' }])
    const { $metadata } = await world.client.deleteObjectTagging({ Bucket, Key: 'foo' })
    assert.equal($metadata.httpStatusCode, 204)
    assert.deepEqual(await tagsOf(Bucket), [])
  })

  test('given with the object, one without a value', async () => {
    const Bucket = await world.bucket()
    await world.put(Bucket, 'foo', 'bar', { Tagging: 'foo=bar&bar' })
    assert.equal(await world.text(Bucket, 'foo'), 'bar')
    assert.deepEqual(await tagsOf(Bucket), [
      { Key: 'foo', Value: 'bar' },
      { Key: 'bar', Value: '' },
    ])
  })
})
