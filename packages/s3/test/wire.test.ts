import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { isWeftError } from '@weft/core'
import { type TestServer, openServer } from './support/open-server.ts'
import { openSocket, rawAnswer, rest, signedHead } from './support/raw-requests.ts'

const Bucket = 'wire'
let server: TestServer

before(async () => {
  server = await openServer()
  await server.buckets.create(Bucket)
})
after(() => server[Symbol.asyncDispose]())

const head = (
  method: string,
  url: string,
  headers: Record<string, string> = {},
  unsigned: Record<string, string> = {},
) => signedHead(server, method, url, headers, unsigned)
const open = () => openSocket(server)
const answerTo = (text: string) => rawAnswer(server, text)

const statusOf = (answer: string): number => Number(answer.slice(9, 12))
const isThere = (key: string): boolean => {
  try {
    server.buckets.head(Bucket, key)
    return true
  } catch (error) {
    assert.ok(isWeftError(error, 'E_KEY_UNKNOWN'))
    return false
  }
}

describe('on the wire', () => {
  test('a body that breaks off leaves nothing', async () => {
    const socket = await open()
    const { text } = head('PUT', `/${Bucket}/broken`, { 'content-length': '100' })
    const answer = rest(socket)
    socket.write(text)
    socket.write('x'.repeat(50))
    socket.end()
    await answer
    assert.equal(isThere('broken'), false)
  })

  test('a connection goes on behind answers and refusals, and a client that leaves is no fault', async () => {
    await server.buckets.put(
      Bucket,
      'long',
      (async function* () {
        yield Buffer.alloc(8 << 20)
      })(),
    )
    const socket = await open()
    for (const url of [`/${Bucket}`, '/no-such', `/${Bucket}?versioning`]) {
      socket.write(head('GET', url).text)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1\.1 (200|404) [^]*connection: keep-alive/i)
    }
    socket.write(head('GET', `/${Bucket}/long`).text)
    await once(socket, 'data')
    socket.destroy()
    await answerTo(head('GET', `/${Bucket}`, { connection: 'close' }).text)
    assert.deepEqual(server.logged, [])
  })

  test('a hash that is not that of the body leaves nothing', async () => {
    const sha256 = createHash('sha256').update('right').digest('hex')
    const { text } = head('PUT', `/${Bucket}/hash`, {
      'content-length': '5',
      'x-amz-content-sha256': sha256,
      connection: 'close',
    })
    const answer = await answerTo(`${text}wrong`)
    assert.equal(statusOf(answer), 400)
    assert.match(answer, /<Code>XAmzContentSHA256Mismatch</)
    assert.equal(isThere('hash'), false)
    assert.equal(statusOf(await answerTo(`${text}right`)), 200)
    assert.equal(isThere('hash'), true)
  })

  test('100 Continue comes only to who may; who may not is answered before the body', async () => {
    const expecting = { 'content-length': '5', expect: '100-continue' }
    const socket = await open()
    socket.write(head('PUT', `/${Bucket}/expected`, expecting).text)
    const [first] = (await once(socket, 'data')) as [Buffer]
    assert.match(first.toString(), /^HTTP\/1\.1 100 /)
    const answer = rest(socket)
    socket.end('bytes')
    assert.equal(statusOf(await answer), 200)
    assert.equal(isThere('expected'), true)
    const refused = await open()
    refused.write(head('PUT', '/no-such/expected', expecting).text)
    const [other] = (await once(refused, 'data')) as [Buffer]
    assert.match(other.toString(), /^HTTP\/1\.1 404 [^]*NoSuchBucket/)
    refused.destroy()
  })

  test('a refusal reaches a client that is still sending', async () => {
    const length = 4 << 20
    const { text } = head('PUT', '/no-such/large', { 'content-length': String(length) })
    assert.match(await answerTo(text + 'x'.repeat(length)), /^HTTP\/1\.1 404 [^]*NoSuchBucket/)
  })

  test('5 GiB and a byte is refused before its first byte', async () => {
    const { text } = head('PUT', `/${Bucket}/huge`, { 'content-length': String(5 * 2 ** 30 + 1) })
    assert.match(await answerTo(text), /^HTTP\/1\.1 400 [^]*EntityTooLarge/)
  })

  test('unknown subresources never become the operation without them', async () => {
    await server.buckets.create('kept')
    await server.buckets.put('kept', 'key', (async function* () {})())
    for (const name of ['replication', 'object-lock', 'inventory', 'retention', 'legal-hold', 'acl', 'torrent']) {
      for (const [method, url] of [
        ['DELETE', `/kept/key?${name}`],
        ['DELETE', `/kept?${name}`],
        ['PUT', `/kept/key?${name}`],
      ] as const)
        await answerTo(head(method, url, { 'content-length': '0', connection: 'close' }).text)
      assert.equal(server.buckets.head('kept', 'key').size, 0)
    }
    const two = await answerTo(head('DELETE', '/kept?tagging&policy', { connection: 'close' }).text)
    assert.match(two, /InvalidRequest/)
    assert.ok(server.buckets.bucket('kept'))
  })

  test('neither secrets nor signatures are in answers or in what is logged', async () => {
    const wrong = head('GET', `/${Bucket}/x?max-keys=1`, { connection: 'close' }, { 'x-amz-meta-x': '1' })
    const answer = await answerTo(wrong.text)
    assert.match(answer, /HeadersNotSigned/)
    const other = head('GET', `/${Bucket}/x`, { connection: 'close' })
    const changed = await answerTo(other.text.replace(`/${Bucket}/x`, `/${Bucket}/y`))
    assert.match(changed, /SignatureDoesNotMatch/)
    const all = [answer, changed, ...server.logged].join('\n')
    for (const secret of [wrong.signature, other.signature, server.keys.all.secretAccessKey])
      assert.ok(!all.includes(secret))
  })

  test('an XML body that is too long, has a document type, or is none', async () => {
    const post = (body: string) => {
      const md5 = createHash('md5').update(body).digest('base64')
      const sent = { 'content-length': String(Buffer.byteLength(body)), 'content-md5': md5, connection: 'close' }
      return answerTo(head('PUT', `/${Bucket}?tagging`, sent).text + body)
    }
    assert.match(await post(`<Tagging>${' '.repeat(2 ** 20)}</Tagging>`), /EntityTooLarge/)
    assert.match(
      await post('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Tagging>&e;</Tagging>'),
      /MalformedXML/,
    )
    assert.match(await post(''), /MissingRequestBodyError/)
    assert.match(await post('{}'), /MalformedXML/)
  })

  test('too much of a head', async () => {
    const { text } = head('GET', `/${Bucket}`, { connection: 'close' }, { 'x-other': 'y'.repeat(40_000) })
    assert.equal(statusOf(await answerTo(text)), 431)
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`x-${at}`, '1']))
    assert.match(await answerTo(head('GET', `/${Bucket}`, { connection: 'close' }, many).text), /^HTTP\/1\.1 4(00|31) /)
  })

  test('an unsigned chunk where chunks are signed, and two hosts', async () => {
    const streaming = {
      'content-length': '10',
      'x-amz-decoded-content-length': '1',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      connection: 'close',
    }
    const answer = await answerTo(`${head('PUT', `/${Bucket}/chunk`, streaming).text}1\r\nx\r\n0\r\n\r\n`)
    assert.equal(statusOf(answer), 400)
    assert.equal(isThere('chunk'), false)
    const hosts = head('GET', `/${Bucket}`, { connection: 'close' }, { host: 'other' })
    assert.equal(statusOf(await answerTo(hosts.text)), 400)
  })

  test('any bytes are answered or hung up on, and the server goes on', async () => {
    const start = fc.constantFrom('GET / HTTP/1.1\r\n', 'PUT /wire/x HTTP/1.1\r\nHost: x\r\n', '')
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (line, bytes) => {
        const answer = await answerTo(`${line}${Buffer.from(bytes).toString('latin1')}\r\n\r\n`)
        assert.ok(answer === '' || /^HTTP\/1\.1 [45]\d\d /.test(answer), answer)
      }),
      { numRuns: 60 },
    )
    assert.equal(statusOf(await answerTo(head('GET', `/${Bucket}`, { connection: 'close' }).text)), 200)
  })
})
