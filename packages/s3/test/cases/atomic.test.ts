import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { openUpload } from '../support/multi-parts.ts'
import { openSocket, rest, signedHead } from '../support/raw-requests.ts'
import { answered } from '../support/sdk-client.ts'

const world = new CaseWorld()
const MIB = 1 << 20
const SIZES = [MIB, 4 * MIB, 8 * MIB]
const OK = /^HTTP\/1\.1 200 /

/** An upload that the server reads the body of, of which half has been sent. @returns what sends the rest, and has the answer */
async function begin(url: string, body: string, headers: Record<string, string> = {}): Promise<() => Promise<string>> {
  const all = { 'content-length': String(body.length), expect: '100-continue', connection: 'close', ...headers }
  const socket = await openSocket(world.server)
  socket.write(signedHead(world.server, 'PUT', url, all).text)
  const [first] = (await once(socket, 'data')) as [Buffer]
  assert.match(first.toString(), /^HTTP\/1\.1 100 /)
  socket.write(body.slice(0, body.length / 2))
  return async () => {
    const answer = rest(socket)
    socket.write(body.slice(body.length / 2))
    return answer
  }
}

describe('cases: whole, or not at all', () => {
  test('a read that began before a write ends with what it began with', async () => {
    for (const size of SIZES) {
      const Bucket = await world.bucket()
      await world.put(Bucket, 'testobj', 'A'.repeat(size))
      const { Body } = await world.client.getObject({ Bucket, Key: 'testobj' })
      await world.put(Bucket, 'testobj', 'B'.repeat(size))
      assert.equal(await Body?.transformToString(), 'A'.repeat(size))
      assert.equal(await world.text(Bucket, 'testobj'), 'B'.repeat(size))
    }
  })

  test('a write is not seen before its end', async () => {
    for (const size of SIZES) {
      const Bucket = await world.bucket()
      await world.put(Bucket, 'testobj', 'A'.repeat(size))
      for (const [letter, headers] of [
        ['B', {}],
        ['C', { 'if-match': '*' }],
      ] as const) {
        const before = await world.text(Bucket, 'testobj')
        const end = await begin(`/${Bucket}/testobj`, letter.repeat(size), headers)
        assert.equal(await world.text(Bucket, 'testobj'), before)
        assert.match(await end(), OK)
        assert.equal(await world.text(Bucket, 'testobj'), letter.repeat(size))
      }
    }
  })

  test('of two writes at once the one stays that ended last, whole', async () => {
    for (const size of SIZES) {
      const Bucket = await world.bucket(['testobj'])
      const end = await begin(`/${Bucket}/testobj`, 'B'.repeat(size))
      await world.put(Bucket, 'testobj', 'A'.repeat(size))
      assert.equal(await world.text(Bucket, 'testobj'), 'A'.repeat(size))
      assert.match(await end(), OK)
      assert.equal(await world.text(Bucket, 'testobj'), 'B'.repeat(size))
    }
  })

  test('of two writes over the same version one is refused', async () => {
    const Bucket = await world.bucket()
    const { ETag = '' } = await world.put(Bucket, 'testobj', 'A'.repeat(MIB))
    const end = await begin(`/${Bucket}/testobj`, 'C'.repeat(MIB), { 'if-match': ETag })
    await world.put(Bucket, 'testobj', 'B'.repeat(MIB), { IfMatch: ETag })
    assert.match(await end(), /^HTTP\/1\.1 412 [^]*<Code>PreconditionFailed</)
    assert.equal(await world.text(Bucket, 'testobj'), 'B'.repeat(MIB))
  })

  test('a bucket that goes during a write', async () => {
    const Bucket = await world.bucket()
    const end = await begin(`/${Bucket}/foo`, 'A'.repeat(MIB))
    await world.client.deleteBucket({ Bucket })
    assert.match(await end(), /^HTTP\/1\.1 404 [^]*<Code>NoSuchBucket</)
    await assert.rejects(world.client.headBucket({ Bucket }), answered('NotFound', 404))
  })

  test('an upload that begins and is given up leaves the object', async () => {
    const Bucket = await world.bucket(['foo'])
    const { UploadId } = await openUpload(world, Bucket, 'foo')
    assert.equal(await world.text(Bucket, 'foo'), 'foo')
    await world.client.abortMultipartUpload({ Bucket, Key: 'foo', UploadId })
    assert.equal(await world.text(Bucket, 'foo'), 'foo')
  })

  test('of a part that is sent twice at once the one counts that ended last', async () => {
    const Bucket = await world.bucket()
    const upload = await openUpload(world, Bucket, 'mymultipart')
    const end = await begin(`/${Bucket}/mymultipart?partNumber=1&uploadId=${upload.UploadId}`, 'AAAAAAAA')
    await upload.put(1, 'BBBBBBBB')
    const answer = await end()
    const ETag = /^etag: (\S+)\r$/im.exec(answer)?.[1]
    await assert.rejects(upload.complete(), answered('InvalidPart', 400))
    await upload.complete({ MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } })
    assert.equal(await world.text(Bucket, 'mymultipart'), 'AAAAAAAA')
  })
})
