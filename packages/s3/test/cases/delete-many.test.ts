import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { listBoth } from '../support/lists.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

describe('cases: many deleted at once', () => {
  test('all that is named is gone, and may be named again', async () => {
    const keys = ['key0', 'key1', 'key2']
    const Bucket = await world.bucket([...keys, 'kept'])
    const Delete = { Objects: keys.map((Key) => ({ Key })) }
    for (let round = 0; round < 2; round++) {
      const { Deleted, Errors } = await world.client.deleteObjects({ Bucket, Delete })
      assert.deepEqual([Deleted?.map(({ Key }) => Key), Errors], [keys, undefined])
      for (const found of await listBoth(world, { Bucket })) assert.deepEqual(found.keys, ['kept'])
    }
  })

  test('a thousand and one are too many', async () => {
    const Bucket = await world.bucket(['key0'])
    const Objects = Array.from({ length: 1_001 }, (_, at) => ({ Key: `key${at}` }))
    await assert.rejects(world.client.deleteObjects({ Bucket, Delete: { Objects } }), answered('MalformedXML', 400))
    assert.equal(await world.text(Bucket, 'key0'), 'key0')
  })

  test('versions and a marker by their ids, twice', async () => {
    const Bucket = await world.versioned()
    const one = await world.put(Bucket, 'key', 'one')
    const two = await world.put(Bucket, 'key', 'two')
    const marker = await world.client.deleteObject({ Bucket, Key: 'key' })
    const Objects = [one, two, marker].map(({ VersionId }) => ({ Key: 'key', VersionId }))
    for (let round = 0; round < 2; round++) {
      const { Deleted, Errors } = await world.client.deleteObjects({ Bucket, Delete: { Objects } })
      assert.deepEqual([Deleted?.length, Errors], [3, undefined])
      const left = await world.client.listObjectVersions({ Bucket })
      assert.deepEqual([left.Versions, left.DeleteMarkers], [undefined, undefined])
    }
  })

  test('a key without a version becomes a marker', async () => {
    const Bucket = await world.versioned()
    const { Deleted } = await world.client.deleteObjects({ Bucket, Delete: { Objects: [{ Key: 'key' }] } })
    assert.deepEqual([Deleted?.length, Deleted?.[0]?.DeleteMarker], [1, true])
    const { DeleteMarkers } = await world.client.listObjectVersions({ Bucket })
    assert.deepEqual(
      DeleteMarkers?.map(({ Key, VersionId }) => [Key, VersionId]),
      [['key', Deleted?.[0]?.DeleteMarkerVersionId]],
    )
  })

  test('five clients delete the same versions at once', async () => {
    const Bucket = await world.versioned()
    for (let round = 0; round < 3; round++)
      for (const Key of ['key_0', 'key_1', 'key_2', 'key_3', 'key_4']) await world.put(Bucket, Key, `${round}`)
    const { Versions = [] } = await world.client.listObjectVersions({ Bucket })
    const Delete = { Objects: Versions.map(({ Key, VersionId }) => ({ Key, VersionId })) }
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => world.client.deleteObjects({ Bucket, Delete })))
    for (const { Deleted, Errors } of answers) assert.deepEqual([Deleted?.length, Errors], [15, undefined])
    const left = await world.client.listObjectVersions({ Bucket })
    assert.deepEqual([left.Versions, left.DeleteMarkers], [undefined, undefined])
  })
})
