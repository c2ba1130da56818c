import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type * as s3 from '@aws-sdk/client-s3'
import { runningChecksum } from '../../src/checksum/checksum.ts'
import { CaseWorld } from '../support/case-world.ts'
import { PART, partsOf, uploadParts } from '../support/multi-parts.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()
const ALL = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const
type Name = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

const attributesOf = (Bucket: string, Key: string, more: Partial<s3.GetObjectAttributesCommandInput> = {}) =>
  world.client.getObjectAttributes({ Bucket, Key, ObjectAttributes: [...ALL], ...more })

/** Of one byte string, or what its parts' checksums come to. */
function sumOf(name: Name, bytes: Uint8Array): string {
  const running = runningChecksum(name)
  running.update(bytes)
  return running.digest()
}

describe('cases: checksums', () => {
  test('one that is given is kept and told when asked for; one that is none, or of other bytes, is refused', async () => {
    const Bucket = await world.bucket()
    const body = 'A'.repeat(1_024)
    for (const name of ['SHA256', 'CRC64NVME'] as const) {
      const field = `Checksum${name}` as const
      const sum = sumOf(name, Buffer.from(body))
      const put = (given: string) => world.put(Bucket, 'myobj', body, { ChecksumAlgorithm: name, [field]: given })
      assert.equal((await put(sum))[field], sum)
      const head = (ChecksumMode?: 'ENABLED') => world.client.headObject({ Bucket, Key: 'myobj', ChecksumMode })
      assert.deepEqual([(await head())[field], (await head('ENABLED'))[field]], [undefined, sum])
      await assert.rejects(put('bad'), answered('InvalidRequest', 400))
      await assert.rejects(put(sumOf(name, Buffer.from('B'))), answered('BadDigest', 400))
    }
  })

  test('of an upload in parts: of the parts, compared, the same when completed again', async () => {
    const Bucket = await world.bucket()
    const parts = partsOf(randomBytes(PART + 1_024))
    const upload = await uploadParts(world, Bucket, 'mymultipart', parts, { ChecksumAlgorithm: 'SHA256' })
    const all = createHash('sha256')
    for (const part of parts) all.update(createHash('sha256').update(part).digest())
    const ChecksumSHA256 = `${all.digest('base64')}-2`
    await assert.rejects(upload.complete({ ChecksumSHA256: 'bad' }), answered('BadDigest', 400))
    const one = await upload.complete({ ChecksumSHA256 })
    const two = await upload.complete({ ChecksumSHA256 })
    assert.deepEqual([one.ChecksumSHA256, two.ChecksumSHA256, two.ETag], [ChecksumSHA256, ChecksumSHA256, one.ETag])
    const head = await world.client.headObject({ Bucket, Key: 'mymultipart' })
    assert.equal(head.ChecksumSHA256, undefined)
    const told = await world.client.headObject({ Bucket, Key: 'mymultipart', ChecksumMode: 'ENABLED' })
    assert.equal(told.ChecksumSHA256, ChecksumSHA256)
  })

  test('of the whole and of parts, by name, as completion, head and attributes say', async () => {
    const Bucket = await world.bucket()
    const bytes = randomBytes(PART + 1_000)
    const parts = partsOf(bytes)
    for (const [name, type] of [
      ['SHA256', 'COMPOSITE'],
      ['SHA1', 'COMPOSITE'],
      ['CRC64NVME', 'FULL_OBJECT'],
      ['CRC32', 'FULL_OBJECT'],
      ['CRC32C', 'FULL_OBJECT'],
    ] as const) {
      const field = `Checksum${name}` as const
      const more = { ChecksumAlgorithm: name, ChecksumType: type }
      const upload = await uploadParts(world, Bucket, 'parts', parts, more)
      const sums = parts.map((part) => sumOf(name, part))
      const ofSums = sumOf(name, Buffer.concat(sums.map((sum) => Buffer.from(sum, 'base64'))))
      const wanted = type === 'FULL_OBJECT' ? sumOf(name, bytes) : `${ofSums}-2`
      const done = await upload.complete({ [field]: wanted })
      assert.deepEqual([done[field], done.ChecksumType], [wanted, type])
      const head = await world.client.headObject({ Bucket, Key: 'parts', ChecksumMode: 'ENABLED' })
      assert.deepEqual([head[field], head.ChecksumType], [wanted, type])
      for (const [at, sum] of sums.entries()) {
        const read = { Bucket, Key: 'parts', PartNumber: at + 1, ChecksumMode: 'ENABLED' } as const
        const ofPart = await world.client.headObject(read)
        assert.deepEqual([ofPart[field], ofPart.ChecksumType], [sum, type])
      }
      // The SDK compares what it reads.
      const last = await world.client.getObject({ Bucket, Key: 'parts', PartNumber: 2, ChecksumMode: 'ENABLED' })
      assert.ok(bytes.subarray(PART).equals((await last.Body?.transformToByteArray()) ?? new Uint8Array()))
      const { Checksum, ObjectParts } = await attributesOf(Bucket, 'parts')
      assert.deepEqual(
        ObjectParts?.Parts?.map((part) => part[field]),
        sums,
      )
      assert.deepEqual([Checksum?.[field], Checksum?.ChecksumType], [wanted, type])
    }
  })
})

describe('cases: attributes of objects', () => {
  test('of one that was put whole', async () => {
    const Bucket = await world.bucket()
    const ChecksumSHA256 = createHash('sha256').update('foo').digest('base64')
    const { ETag } = await world.put(Bucket, 'obj', 'foo', { ChecksumSHA256 })
    const found = await attributesOf(Bucket, 'obj')
    assert.deepEqual(
      [found.ObjectSize, `"${found.ETag}"`, found.StorageClass, found.Checksum?.ChecksumSHA256],
      [3, ETag, 'STANDARD', ChecksumSHA256],
    )
    assert.deepEqual([found.ObjectParts, found.DeleteMarker, found.VersionId], [undefined, undefined, undefined])
  })

  test('of a version', async () => {
    const Bucket = await world.versioned()
    const { VersionId } = await world.put(Bucket, 'obj', 'foo')
    assert.equal((await attributesOf(Bucket, 'obj')).VersionId, VersionId)
    await world.put(Bucket, 'obj', 'longer')
    const found = await attributesOf(Bucket, 'obj', { VersionId })
    assert.deepEqual([found.VersionId, found.ObjectSize, found.DeleteMarker], [VersionId, 3, undefined])
  })

  test('of one that was put in parts, by pages as well', async () => {
    const Bucket = await world.bucket()
    for (const sizes of [[PART, PART, PART, 100], [PART]]) {
      const bytes = randomBytes(sizes.reduce((sum, size) => sum + size, 0))
      const { ETag } = await (await uploadParts(world, Bucket, 'multipart', partsOf(bytes))).complete()
      const found = await attributesOf(Bucket, 'multipart')
      assert.deepEqual([found.ObjectSize, `"${found.ETag}"`, found.StorageClass], [bytes.length, ETag, 'STANDARD'])
      assert.deepEqual([found.ObjectParts?.TotalPartsCount, found.ObjectParts?.IsTruncated], [sizes.length, false])
      assert.deepEqual(
        found.ObjectParts?.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
        sizes.map((size, at) => [at + 1, size]),
      )
    }
    await (await uploadParts(world, Bucket, 'paged', partsOf(randomBytes(3 * PART + 100)))).complete()
    for (const [MaxParts, PartNumberMarker, more, next, numbers] of [
      [1, '2', true, '3', [3]],
      [10, '2', false, '4', [3, 4]],
    ] as const) {
      const { ObjectParts } = await attributesOf(Bucket, 'paged', { MaxParts, PartNumberMarker })
      assert.deepEqual(
        [ObjectParts?.MaxParts, ObjectParts?.PartNumberMarker, ObjectParts?.IsTruncated, ObjectParts?.TotalPartsCount],
        [MaxParts, PartNumberMarker, more, 4],
      )
      assert.equal(ObjectParts?.NextPartNumberMarker, next)
      assert.deepEqual(
        ObjectParts?.Parts?.map(({ PartNumber }) => PartNumber),
        numbers,
      )
    }
  })
})
