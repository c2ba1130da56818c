import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { CaseWorld } from '../support/case-world.ts'

const world = new CaseWorld()

const urlOfGet = (Bucket: string, more: Partial<s3.GetObjectCommandInput> = {}, options = {}) =>
  getSignedUrl(world.client, new s3.GetObjectCommand({ Bucket, Key: 'foo', ...more }), options)
const urlOfPut = (Bucket: string, more: Partial<s3.PutObjectCommandInput> = {}, options = {}) =>
  getSignedUrl(world.client, new s3.PutObjectCommand({ Bucket, Key: 'foo', ...more }), options)

async function codeOf(response: Response): Promise<readonly [number, string | undefined]> {
  return [response.status, /<Code>(\w+)</.exec(await response.text())?.[1]]
}

describe('cases: presigned URLs', () => {
  test('read by one that is not over yet', async () => {
    const Bucket = await world.bucket(['foo'])
    const response = await fetch(await urlOfGet(Bucket, {}, { expiresIn: 100_000 }))
    assert.deepEqual([response.status, await response.text()], [200, 'foo'])
  })

  test('for no time, for longer than a week, for less than no time', async () => {
    const Bucket = await world.bucket(['foo'])
    const url = await urlOfGet(Bucket)
    for (const expires of ['0', '609901', '-7']) {
      const changed = url.replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${expires}`)
      assert.deepEqual(await codeOf(await fetch(changed)), [400, 'AuthorizationQueryParametersError'])
    }
  })

  test('one that is over writes nothing', async () => {
    const Bucket = await world.bucket(['foo'])
    const url = await urlOfPut(Bucket, {}, { expiresIn: 60, signingDate: new Date(Date.now() - 1_000_000) })
    assert.deepEqual(await codeOf(await fetch(url, { method: 'PUT', body: 'other' })), [403, 'AccessDenied'])
    assert.equal(await world.text(Bucket, 'foo'), 'foo')
  })

  test('written by one, with the ACL that there is', async () => {
    const Bucket = await world.bucket()
    const plain = await fetch(await urlOfPut(Bucket), { method: 'PUT', body: 'hello' })
    assert.equal(plain.status, 200)
    const url = await urlOfPut(Bucket, { ACL: 'private' })
    const response = await fetch(url, { method: 'PUT', body: 'hello world' })
    assert.equal(response.status, 200)
    assert.equal(await (await fetch(await urlOfGet(Bucket))).text(), 'hello world')
  })

  test('headers of the answer that it asks for', async () => {
    const Bucket = await world.bucket(['foo'])
    const url = await urlOfGet(Bucket, {
      ResponseCacheControl: 'no-cache',
      ResponseContentDisposition: 'bla',
      ResponseContentEncoding: 'aaa',
      ResponseContentLanguage: 'esperanto',
      ResponseContentType: 'foo/bar',
      ResponseExpires: new Date(123_000),
    })
    const { headers } = await fetch(url, { headers: { 'accept-encoding': 'identity' } })
    assert.deepEqual(
      ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires'].map(
        (name) => headers.get(name),
      ),
      ['no-cache', 'bla', 'aaa', 'esperanto', 'foo/bar', new Date(123_000).toUTCString()],
    )
  })

  test('of an object, and of a bucket, that is gone', async () => {
    const Bucket = await world.bucket(['foo'])
    const url = await urlOfGet(Bucket)
    await world.client.deleteObject({ Bucket, Key: 'foo' })
    assert.deepEqual(await codeOf(await fetch(url)), [404, 'NoSuchKey'])
    await world.client.deleteBucket({ Bucket })
    assert.deepEqual(await codeOf(await fetch(url)), [404, 'NoSuchBucket'])
  })
})
