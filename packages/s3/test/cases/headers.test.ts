import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { CaseWorld } from '../support/case-world.ts'
import { listOf } from '../support/lists.ts'
import { answerOf, openSocket, signedHead } from '../support/raw-requests.ts'

const world = new CaseWorld()
const LENGTH = { 'content-length': '3' }

async function putBar(headers: Readonly<Record<string, string>>): Promise<string> {
  return world.raw('PUT', `/${await world.bucket()}/foo`, { headers: { ...LENGTH, ...headers }, body: 'bar' })
}

/** A date as it stands in HTTP, in place of that of the signature. */
async function putDated(date: string | undefined, url: string): Promise<string> {
  const { text } = signedHead(world.server, 'PUT', url, { 'content-length': '0', connection: 'close' })
  const line = date === undefined ? '' : `date: ${date}\r\n`
  const dated = text.replace(/x-amz-date: \S+\r\n/, line)
  return answerOf(world.server, dated.replace('host;x-amz-content-sha256;x-amz-date', 'host;x-amz-content-sha256'))
}

const OK = /^HTTP\/1\.1 200 /
const refused = (status: number, code: string) => new RegExp(`^HTTP/1\\.1 ${status} [^]*<Code>${code}<`)

describe('cases: headers of requests', () => {
  test('Content-MD5 that is too short, of other bytes, empty, none, no base64', async () => {
    assert.match(await putBar({ 'content-md5': 'YWJyYWNhZGFicmE=' }), refused(400, 'InvalidDigest'))
    assert.match(await putBar({ 'content-md5': 'rL0Y20xC+Fzt72VPzMSk2A==' }), refused(400, 'BadDigest'))
    assert.match(await putBar({ 'content-md5': '' }), refused(400, 'InvalidDigest'))
    assert.match(await putBar({ 'content-md5': 'AWS HAHAHA' }), refused(400, 'InvalidDigest'))
    assert.match(await putBar({ 'content-md5': createHash('md5').update('bar').digest('base64') }), OK)
    assert.match(await putBar({}), OK)
  })

  test('Expect that is not 100-continue, or empty', async () => {
    for (const expect of ['200', '']) {
      assert.match(await putBar({ expect }), OK)
      const headers = { expect, 'content-length': '0' }
      assert.match(await world.raw('PUT', `/${world.name()}`, { headers }), OK)
    }
    assert.match(await putBar({}), OK)
  })

  test('100 Continue for who may; a connection whose request was refused goes on', async () => {
    const Bucket = await world.bucket()
    const expecting = { ...LENGTH, expect: '100-continue' }
    const socket = await openSocket(world.server)
    socket.write(signedHead(world.server, 'PUT', `/${Bucket}/foo`, expecting).text)
    const [first] = (await once(socket, 'data')) as [Buffer]
    assert.match(first.toString(), /^HTTP\/1\.1 100 /)
    socket.write('bar')
    const [second] = (await once(socket, 'data')) as [Buffer]
    assert.match(second.toString(), OK)
    socket.destroy()
    const head = signedHead(world.server, 'PUT', `/${Bucket}-not/foo`, { ...expecting, connection: 'close' })
    assert.match(await answerOf(world.server, `${head.text}bar`), refused(404, 'NoSuchBucket'))
    const nobody = await world.unsigned('PUT', `/${Bucket}/foo`, expecting)
    assert.match(nobody, refused(403, 'AccessDenied'))
  })

  test('Content-Length of an object that is empty, negative, none', async () => {
    const Bucket = await world.bucket()
    for (const length of ['', '-1'])
      assert.match(
        await world.raw('PUT', `/${Bucket}/foo`, { headers: { 'content-length': length } }),
        /^HTTP\/1\.1 400 /,
      )
    assert.match(await world.raw('PUT', `/${Bucket}/foo`), refused(411, 'MissingContentLength'))
    const { UploadId } = await world.client.createMultipartUpload({ Bucket, Key: 'foo' })
    const part = `/${Bucket}/foo?partNumber=1&uploadId=${UploadId}`
    assert.match(await world.raw('PUT', part), refused(411, 'MissingContentLength'))
  })

  test('Content-Length of a request that needs no body', async () => {
    const Bucket = world.name()
    assert.match(await world.raw('PUT', `/${Bucket}`), OK)
    await world.put(Bucket, 'foo', 'bar')
    assert.match(await world.raw('PUT', `/${Bucket}/foo?acl`, { headers: { 'x-amz-acl': 'private' } }), OK)
    for (const length of ['', '-1'])
      assert.match(
        await world.raw('PUT', `/${world.name()}`, { headers: { 'content-length': length } }),
        /^HTTP\/1\.1 400 /,
      )
  })

  test('a Content-Length below that of the body that was signed', async () => {
    const Bucket = await world.bucket()
    const sha256 = createHash('sha256').update('bar').digest('hex')
    const headers = { 'content-length': '2', 'x-amz-content-sha256': sha256 }
    const answer = await world.raw('PUT', `/${Bucket}/foo`, { headers, body: 'bar' })
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.deepEqual(listOf(await world.client.listObjects({ Bucket })), [])
  })

  test('Transfer-Encoding chunked: of a body that says its length itself, of no other', async () => {
    const Bucket = await world.bucket()
    const chunked = { 'transfer-encoding': 'chunked' }
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32('bar'))
    const inner = `3\r\nbar\r\n0\r\nx-amz-checksum-crc32:${sum.toString('base64')}\r\n\r\n`
    const body = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
    const headers = {
      ...chunked,
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '3',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    }
    assert.match(await world.raw('PUT', `/${Bucket}/foo`, { headers, body }), OK)
    assert.equal(await world.text(Bucket, 'foo'), 'bar')
    const plain = await world.raw('PUT', `/${Bucket}/other`, { headers: chunked, body: '3\r\nbar\r\n0\r\n\r\n' })
    assert.match(plain, refused(411, 'MissingContentLength'))
  })

  test('Content-Type that is given, empty, none', async () => {
    for (const [headers, type] of [
      [{ 'content-type': 'text/plain' }, 'text/plain'],
      [{ 'content-type': '' }, 'binary/octet-stream'],
      [{}, 'binary/octet-stream'],
    ] as const) {
      const Bucket = await world.bucket()
      assert.match(await world.raw('PUT', `/${Bucket}/foo`, { headers: { ...LENGTH, ...headers }, body: 'bar' }), OK)
      assert.equal((await world.client.headObject({ Bucket, Key: 'foo' })).ContentType, type)
    }
  })

  test('User-Agent that is empty, none', async () => {
    for (const more of [{ 'user-agent': '' }, {}] as Record<string, string>[]) {
      assert.match(await putBar(more), OK)
      assert.match(await world.raw('PUT', `/${world.name()}`, { headers: { ...more, 'content-length': '0' } }), OK)
    }
  })
})

describe('cases: who asks, and when', () => {
  test('Authorization that is empty, none', async () => {
    const Bucket = await world.bucket()
    for (const url of [`/${Bucket}/foo`, `/${world.name()}`])
      for (const more of [{ authorization: '' }, {}] as Record<string, string>[])
        assert.match(await world.unsigned('PUT', url, { 'content-length': '0', ...more }), refused(403, 'AccessDenied'))
  })

  test('Authorization of another version, or of none', async () => {
    const Bucket = await world.bucket()
    for (const url of [`/${Bucket}/foo`, `/${world.name()}`])
      for (const authorization of ['AWS AKIAIGR7ZNNBHC5BKSUB:FWeDfwojDSdS2Ztmpfeubhd9isU=', 'AWS HAHAHA'])
        assert.match(
          await world.unsigned('PUT', url, { 'content-length': '0', authorization }),
          refused(400, 'InvalidRequest'),
        )
  })

  test('x-amz-date counts, with Date and without', async () => {
    assert.match(await putBar({ date: 'Tue, 07 Jul 2009 00:00:00 GMT' }), OK)
    assert.match(await putBar({ date: '' }), OK)
  })

  test('a date that is none, where there is no other', async () => {
    for (const url of [`/${await world.bucket()}/foo`, `/${world.name()}`])
      for (const date of ['Bad Date', '', undefined])
        assert.match(await putDated(date, url), refused(403, 'AccessDenied'))
  })

  test('a date that is long ago, or to come', async () => {
    for (const url of [`/${await world.bucket()}/foo`, `/${world.name()}`])
      for (const [date, day] of [
        ['Tue, 07 Jul 2010 21:53:04 GMT', '20100707'],
        ['Tue, 07 Jul 1950 21:53:04 GMT', '19500707'],
        ['Tue, 07 Jul 2099 21:53:04 GMT', '20990707'],
        ['Tue, 07 Jul 9999 21:53:04 GMT', '99990707'],
      ] as const) {
        const signature = '0'.repeat(64)
        const authorization = `AWS4-HMAC-SHA256 Credential=WEFTALL/${day}/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${signature}`
        const answer = await world.unsigned('PUT', url, { date, authorization, 'content-length': '0' })
        assert.match(answer, refused(403, 'RequestTimeTooSkewed'))
      }
  })
})
