import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()

describe('cases: ranges', () => {
  test('from and to, from on, the last ones', async () => {
    const Bucket = await world.bucket(['testcontent'])
    for (const [Range, text, told] of [
      ['bytes=4-7', 'cont', 'bytes 4-7/11'],
      ['bytes=4-', 'content', 'bytes 4-10/11'],
      ['bytes=-7', 'content', 'bytes 4-10/11'],
    ] as const) {
      const found = await world.client.getObject({ Bucket, Key: 'testcontent', Range })
      assert.deepEqual([found.$metadata.httpStatusCode, found.ContentRange], [206, told])
      assert.equal(await found.Body?.transformToString(), text)
    }
  })

  test('two MiB within eight', async () => {
    const Bucket = await world.bucket()
    const bytes = randomBytes(8 << 20)
    await world.put(Bucket, 'testobj', bytes)
    const found = await world.client.getObject({ Bucket, Key: 'testobj', Range: 'bytes=3145728-5242880' })
    assert.deepEqual([found.$metadata.httpStatusCode, found.ContentRange], [206, 'bytes 3145728-5242880/8388608'])
    const got = (await found.Body?.transformToByteArray()) ?? new Uint8Array()
    assert.ok(bytes.subarray(3_145_728, 5_242_881).equals(got))
  })

  test('outside of the object, and of one that is empty', async () => {
    const Bucket = await world.bucket(['testcontent'])
    await world.put(Bucket, 'empty')
    for (const Key of ['testcontent', 'empty'])
      await assert.rejects(world.client.getObject({ Bucket, Key, Range: 'bytes=40-50' }), answered('InvalidRange', 416))
  })
})
