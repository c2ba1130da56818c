import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { PART, uploadParts } from '../support/multi-parts.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()
const NO_KEY = answered('NoSuchKey', 404)

interface Version {
  readonly id: string
  readonly text: string
}

/** Versions of a key, the oldest first. */
async function putVersions(Bucket: string, Key: string, count: number): Promise<Version[]> {
  const versions: Version[] = []
  for (let at = 0; at < count; at++) {
    const text = `content-${at}`
    const { VersionId: id = '' } = await world.put(Bucket, Key, text)
    versions.push({ id, text })
  }
  return versions
}

/** Each is there with its bytes, and there are no others. */
async function hasVersions(Bucket: string, Key: string, versions: readonly Version[]): Promise<void> {
  const { Versions = [] } = await world.client.listObjectVersions({ Bucket, Prefix: Key })
  assert.deepEqual(
    Versions.filter((each) => each.Key === Key).map(({ VersionId }) => VersionId),
    versions.map(({ id }) => id).toReversed(),
  )
  for (const { id, text } of versions) assert.equal(await world.text(Bucket, Key, { VersionId: id }), text)
}

/** One after another, the others staying as they are. */
async function removeAll(
  Bucket: string,
  Key: string,
  versions: readonly Version[],
  order: readonly number[] = [...versions.keys()],
): Promise<void> {
  const gone = new Set<number>()
  for (const at of order) {
    await world.client.deleteObject({ Bucket, Key, VersionId: versions[at]?.id })
    gone.add(at)
    await hasVersions(
      Bucket,
      Key,
      versions.filter((_, each) => !gone.has(each)),
    )
  }
}

async function countOf(Bucket: string): Promise<readonly [versions: number, markers: number]> {
  const { Versions = [], DeleteMarkers = [] } = await world.client.listObjectVersions({ Bucket })
  return [Versions.length, DeleteMarkers.length]
}

describe('cases: versions', () => {
  test('never asked for, suspended, enabled, suspended', async () => {
    const Bucket = await world.bucket()
    const status = async () => (await world.client.getBucketVersioning({ Bucket })).Status
    assert.equal(await status(), undefined)
    for (const wanted of ['Suspended', 'Enabled', 'Enabled', 'Suspended'] as const) {
      await world.versioning(Bucket, wanted)
      assert.equal(await status(), wanted)
    }
  })

  test('written, read and removed, from the first, from the last, and between', async () => {
    const Bucket = await world.versioned()
    for (const key of ['testobj', '_testobj', '_', ':', ' '])
      for (const order of [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [1, 3, 0, 2],
      ]) {
        const versions = await putVersions(Bucket, key, 4)
        await hasVersions(Bucket, key, versions)
        await removeAll(Bucket, key, versions, order)
      }
    assert.deepEqual(await countOf(Bucket), [0, 0])
  })

  test('the version before is the latest when that is removed', async () => {
    const Bucket = await world.versioned()
    const versions = await putVersions(Bucket, 'testobj', 5)
    await world.client.deleteObject({ Bucket, Key: 'testobj', VersionId: versions.pop()?.id })
    assert.equal(await world.text(Bucket, 'testobj'), versions.at(-1)?.text)
    const marker = await world.client.deleteObject({ Bucket, Key: 'testobj' })
    assert.equal(marker.DeleteMarker, true)
    const { Versions, DeleteMarkers } = await world.client.listObjectVersions({ Bucket })
    assert.equal(Versions?.length, 4)
    assert.deepEqual(
      DeleteMarkers?.map(({ VersionId }) => VersionId),
      [marker.VersionId],
    )
  })

  test('each deletion is a marker', async () => {
    const Bucket = await world.versioned()
    await putVersions(Bucket, 'test1/a', 1)
    for (let at = 0; at < 3; at++) await world.client.deleteObject({ Bucket, Key: 'test1/a' })
    assert.deepEqual(await countOf(Bucket), [1, 3])
  })

  test('what was there before versions is the version null', async () => {
    const removed = await world.bucket(['foo'])
    await world.versioning(removed, 'Enabled')
    await world.client.deleteObject({ Bucket: removed, Key: 'foo', VersionId: 'null' })
    await assert.rejects(world.text(removed, 'foo'), NO_KEY)
    const covered = await world.bucket(['foo'])
    await world.versioning(covered, 'Enabled')
    const { VersionId } = await world.put(covered, 'foo', 'zzz')
    assert.equal(await world.text(covered, 'foo'), 'zzz')
    await world.client.deleteObject({ Bucket: covered, Key: 'foo', VersionId })
    assert.equal(await world.text(covered, 'foo'), 'foo')
    await world.client.deleteObject({ Bucket: covered, Key: 'foo', VersionId: 'null' })
    await assert.rejects(world.text(covered, 'foo'), NO_KEY)
    const suspended = await world.bucket(['foo'])
    await world.versioning(suspended, 'Enabled')
    await world.versioning(suspended, 'Suspended')
    await world.put(suspended, 'foo', 'zzz')
    assert.equal(await world.text(suspended, 'foo'), 'zzz')
    assert.deepEqual(await countOf(suspended), [1, 0])
    await world.client.deleteObject({ Bucket: suspended, Key: 'foo', VersionId: 'null' })
    await assert.rejects(world.text(suspended, 'foo'), NO_KEY)
    for (const Bucket of [removed, covered, suspended]) assert.deepEqual(await countOf(Bucket), [0, 0])
  })

  test('while suspended there is one null version or marker, and the others stay', async () => {
    const Bucket = await world.versioned()
    const Key = 'testobj'
    const versions = await putVersions(Bucket, Key, 3)
    await world.versioning(Bucket, 'Suspended')
    for (const text of ['null content 1', 'null content 2']) {
      await world.put(Bucket, Key, text)
      await hasVersions(Bucket, Key, [...versions, { id: 'null', text }])
      await world.client.deleteObject({ Bucket, Key })
      await world.client.deleteObject({ Bucket, Key })
      await hasVersions(Bucket, Key, versions)
      assert.deepEqual(await countOf(Bucket), [3, 1])
    }
    await world.put(Bucket, Key, 'null content 3')
    const all = [...versions, { id: 'null', text: 'null content 3' }]
    await world.versioning(Bucket, 'Enabled')
    all.push(...(await putVersions(Bucket, Key, 2)))
    await hasVersions(Bucket, Key, all)
    await removeAll(Bucket, Key, all)
  })

  test('a null version is copied, and the copy outlives it', async () => {
    const [Bucket, plain] = [await world.versioned(), await world.bucket()]
    await putVersions(Bucket, 'testobj1', 1)
    await world.versioning(Bucket, 'Suspended')
    await world.put(Bucket, 'testobj1', 'null content')
    const CopySource = `${Bucket}/testobj1`
    await world.client.copyObject({ Bucket, Key: 'testobj2', CopySource })
    await world.client.copyObject({ Bucket: plain, Key: 'testobj1', CopySource })
    await world.client.deleteObject({ Bucket, Key: 'testobj1' })
    assert.equal(await world.text(Bucket, 'testobj2'), 'null content')
    assert.equal(await world.text(plain, 'testobj1'), 'null content')
  })

  test('uploads in parts are versions', async () => {
    const Bucket = await world.versioned()
    const versions: Version[] = []
    for (const letter of ['a', 'b', 'c']) {
      const parts = [letter.repeat(PART), letter]
      const { VersionId: id = '' } = await (await uploadParts(world, Bucket, 'testobj', parts)).complete()
      versions.push({ id, text: parts.join('') })
    }
    await hasVersions(Bucket, 'testobj', versions)
    await removeAll(Bucket, 'testobj', versions)
  })

  test('listed by key, and of each the latest first', async () => {
    const Bucket = await world.versioned()
    const one = await putVersions(Bucket, 'testobj', 5)
    const two = await putVersions(Bucket, 'testobj-1', 5)
    const { Versions = [] } = await world.client.listObjectVersions({ Bucket })
    assert.deepEqual(
      Versions.map(({ Key, VersionId }) => [Key, VersionId]),
      [...one.toReversed().map(({ id }) => ['testobj', id]), ...two.toReversed().map(({ id }) => ['testobj-1', id])],
    )
    const seen: unknown[] = []
    for (let KeyMarker: string | undefined, VersionIdMarker: string | undefined; ;) {
      const page = await world.client.listObjectVersions({ Bucket, MaxKeys: 3, KeyMarker, VersionIdMarker })
      seen.push(...(page.Versions ?? []).map(({ Key, VersionId }) => [Key, VersionId]))
      if (page.IsTruncated !== true) break
      KeyMarker = page.NextKeyMarker
      VersionIdMarker = page.NextVersionIdMarker
    }
    assert.deepEqual(
      seen,
      Versions.map(({ Key, VersionId }) => [Key, VersionId]),
    )
  })

  test('each version is copied by its id, the latest without', async () => {
    const [Bucket, other] = [await world.versioned(), await world.bucket()]
    const versions = await putVersions(Bucket, 'testobj', 3)
    for (const target of [Bucket, other]) {
      for (const { id, text } of versions) {
        const CopySource = `${Bucket}/testobj?versionId=${id}`
        await world.client.copyObject({ Bucket: target, Key: `key_${text}`, CopySource })
        assert.equal(await world.text(target, `key_${text}`), text)
      }
      await world.client.copyObject({ Bucket: target, Key: 'new_key', CopySource: `${Bucket}/testobj` })
      assert.equal(await world.text(target, 'new_key'), versions.at(-1)?.text)
    }
  })

  test('a put and a completed upload say their version, where versions are kept', async () => {
    const [plain, versioned, suspended] = [await world.bucket(), await world.versioned(), await world.bucket()]
    await world.versioning(suspended, 'Suspended')
    for (const Bucket of [plain, versioned, suspended])
      for (const Key of ['put', 'parts']) {
        const { VersionId } =
          Key === 'put'
            ? await world.put(Bucket, Key, 'x')
            : await (await uploadParts(world, Bucket, Key, ['x'])).complete()
        const { Versions } = await world.client.listObjectVersions({ Bucket, Prefix: Key })
        assert.equal(Versions?.length, 1)
        // S3 says null of what is put while versions are suspended, and nothing where they never were.
        assert.equal(VersionId, Bucket === plain ? undefined : Versions?.[0]?.VersionId)
        if (Bucket === suspended) assert.equal(VersionId, 'null')
      }
  })

  test('the head of what was deleted says whether it is a marker', async () => {
    const [plain, versioned, suspended] = [await world.bucket(), await world.versioned(), await world.versioned()]
    for (const Bucket of [plain, versioned, suspended]) {
      await world.put(Bucket, 'frodo.txt', 'body')
      if (Bucket === suspended) await world.versioning(Bucket, 'Suspended')
      await world.client.deleteObject({ Bucket, Key: 'frodo.txt' })
      const answer = await world.raw('HEAD', `/${Bucket}/frodo.txt`)
      assert.match(answer, /^HTTP\/1\.1 404 /)
      assert.equal(/^x-amz-delete-marker: true\r$/im.test(answer), Bucket !== plain)
    }
  })

  test('written and removed at once, none is lost and none stays', async () => {
    const Bucket = await world.versioned()
    const five = [1, 2, 3, 4, 5]
    const clear = async (): Promise<void> => {
      const { Versions = [] } = await world.client.listObjectVersions({ Bucket })
      await Promise.all(Versions.map(({ VersionId }) => world.client.deleteObject({ Bucket, Key: 'myobj', VersionId })))
    }
    for (let round = 0; round < 3; round++) {
      await Promise.all(five.map((at) => world.put(Bucket, 'myobj', `${at}`)))
      assert.deepEqual(await countOf(Bucket), [5, 0])
      await clear()
      assert.deepEqual(await countOf(Bucket), [0, 0])
      await Promise.all([...five.map((at) => world.put(Bucket, 'myobj', `${at}`)), clear()])
      await clear()
      assert.deepEqual(await countOf(Bucket), [0, 0])
    }
  })
})
