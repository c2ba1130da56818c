import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type * as s3 from '@aws-sdk/client-s3'
import { CaseWorld } from '../support/case-world.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()
const NOT_THERE = answered('NotImplemented', 501)
const NO_ACL = answered('AccessControlListNotSupported', 400)

/** What does not apply is refused, where to forget it would leave an object other than its owner believes. */
describe('cases that do not apply', () => {
  test('other ACLs than the owner alone', async () => {
    const Bucket = await world.bucket(['foo'])
    await assert.rejects(world.client.putBucketAcl({ Bucket, ACL: 'public-ready' as 'public-read' }), NO_ACL)
    for (const ACL of ['public-read', 'public-read-write', 'authenticated-read'] as const) {
      await assert.rejects(world.client.putBucketAcl({ Bucket, ACL }), NO_ACL)
      await assert.rejects(world.client.putObjectAcl({ Bucket, Key: 'foo', ACL }), NO_ACL)
      await assert.rejects(world.put(Bucket, 'bar', 'x', { ACL }), NO_ACL)
      await assert.rejects(world.client.createBucket({ Bucket: world.name(), ACL }), NO_ACL)
    }
    await assert.rejects(world.put(Bucket, 'bar', 'x', { GrantRead: 'id=other' }), NO_ACL)
    await assert.rejects(world.text(Bucket, 'bar'), answered('NoSuchKey', 404))
  })

  test('keys of the customer and of KMS, Object Lock, redirects', async () => {
    const Bucket = await world.bucket()
    const SSECustomerKey = 'pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs='
    const SSECustomerKeyMD5 = createHash('md5').update(Buffer.from(SSECustomerKey, 'base64')).digest('base64')
    for (const more of [
      { SSECustomerAlgorithm: 'AES256', SSECustomerKey, SSECustomerKeyMD5 },
      { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'testkey-1' },
      { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date('2100-01-01') },
      { ObjectLockLegalHoldStatus: 'ON' },
      { WebsiteRedirectLocation: '/elsewhere' },
    ] satisfies Partial<s3.PutObjectCommandInput>[]) {
      await assert.rejects(world.put(Bucket, 'foo', 'x', more), NOT_THERE)
      const begin = world.client.createMultipartUpload({ Bucket, Key: 'foo', ...more })
      await assert.rejects(begin, NOT_THERE)
    }
    await assert.rejects(world.text(Bucket, 'foo'), answered('NoSuchKey', 404))
  })

  test('policies, lifecycles, CORS, encryption, logging, replication, websites', async () => {
    const Bucket = await world.bucket(['foo'])
    const put = (name: string) => world.raw('PUT', `/${Bucket}?${name}`, { headers: { 'content-length': '0' } })
    for (const name of [
      'policy',
      'lifecycle',
      'cors',
      'encryption',
      'logging',
      'replication',
      'website',
      'object-lock',
    ])
      assert.match(await put(name), /^HTTP\/1\.1 501 [^]*<Code>NotImplemented</, name)
    for (const name of ['publicAccessBlock', 'ownershipControls', 'notification', 'inventory'])
      assert.match(await put(name), /^HTTP\/1\.1 501 [^]*<Code>NotImplemented</, name)
    for (const url of [`/${Bucket}/foo?torrent`, `/${Bucket}/foo?retention`, `/${Bucket}/foo?legal-hold`])
      assert.match(await world.raw('GET', url), /^HTTP\/1\.1 501 [^]*<Code>NotImplemented</, url)
    for (const name of ['policy', 'lifecycle', 'cors', 'encryption', 'replication', 'website'])
      assert.match(await world.raw('GET', `/${Bucket}?${name}`), /^HTTP\/1\.1 404 /, name)
  })

  test('forms of browsers, and requests of other sites', async () => {
    const Bucket = await world.bucket(['foo'])
    const type = { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '0' }
    assert.match(await world.unsigned('POST', `/${Bucket}`, type), /^HTTP\/1\.1 403 [^]*<Code>AccessDenied</)
    assert.match(await world.raw('POST', `/${Bucket}`, { headers: type }), /^HTTP\/1\.1 405 /)
    const origin = { origin: 'https://example.com' }
    const preflight = { ...origin, 'access-control-request-method': 'GET' }
    assert.match(await world.unsigned('OPTIONS', `/${Bucket}/foo`, preflight), /^HTTP\/1\.1 403 /)
    const answer = await world.raw('GET', `/${Bucket}/foo`, { unsigned: origin })
    assert.ok(answer.startsWith('HTTP/1.1 200 ') && !/access-control-/i.test(answer))
  })
})
