import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { call } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)
/** As fast-check's 'binary', and half surrogates; without its table of all of Unicode, which takes 2 s to build. */
const anyCodePoint = fc.nat({ max: 0x10_ffff }).map((point) => String.fromCodePoint(point))

test('fuzz: no bytes on the port bring the daemon down or get an answer of success without a token', async (t) => {
  const { port, socket } = await startTestDaemon(t)
  const piece = fc.oneof(
    fc.constantFrom(
      'GET ',
      'PUT ',
      'POST ',
      '/api/v1/status',
      '/api/v1/objects?name=',
      ' HTTP/1.1\r\n',
      `Host: 127.0.0.1:${port}\r\n`,
      '\r\n',
      'Content-Length: 9',
      'Transfer-Encoding: chunked\r\n',
      'Authorization: Bearer weft_',
      'Cookie: weft-session=',
      'Expect: 100-continue\r\n',
      'Upgrade: h2c\r\n',
      '5\r\nhello\r\n',
      '%00',
      '\0',
    ),
    fc.string({ unit: anyCodePoint, maxLength: 50 }),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  )
  const property = fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
    const answer = await exchange(port, Buffer.from(pieces.join(''), 'latin1'))
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2\d\d [^]*"schemaVersion"/)
  })
  const end = performance.now() + SECONDS * 1_000
  while (performance.now() < end) await fc.assert(property, { numRuns: 20 })
  assert.equal((await call({ socketPath: socket, path: '/livez' })).status, 200)
})

function exchange(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const client = connect(port, '127.0.0.1', () => client.end(bytes))
    client.setEncoding('latin1')
    client.on('data', (part: string) => (text += part))
    // A connection that the daemon resets is an answer, too.
    client.on('error', () => {})
    client.on('close', () => resolve(text))
  })
}
