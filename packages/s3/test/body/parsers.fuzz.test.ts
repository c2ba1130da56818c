import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '@weft/core'
import { readSignedParts } from '../../src/auth/signed-parts.ts'
import { decodeChunks } from '../../src/body/aws-chunked.ts'
import { ClientPace } from '../../src/body/client-pace.ts'
import { Query } from '../../src/http/query.ts'
import { PACE_BYTES, PACE_MS } from '../../src/limits.ts'
import { isS3Error } from '../../src/s3-error.ts'
import { readXml } from '../../src/xml/read-xml.ts'

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function decoded(bytes: Uint8Array, size: number, trailers: readonly string[]) {
  const out: Uint8Array[] = []
  const found = new Map<string, string>()
  const onTrailers = (each: ReadonlyMap<string, string>): void => each.forEach((value, name) => found.set(name, value))
  for await (const piece of decodeChunks(inPieces(bytes, size), { seed: undefined, trailers, onTrailers }))
    out.push(Uint8Array.from(piece))
  return { bytes: Buffer.concat(out), found }
}

function oneOfOurs(task: () => void): void {
  try {
    task()
  } catch (error) {
    assert.ok(isS3Error(error), String(error))
  }
}

describe('what comes over the wire', () => {
  test('unsigned chunks of any sizes, in any pieces, with or without empty lines around trailers', async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 })
    const ending = fc.constantFrom('', '\r\n', '\r\n\r\n', '\n\r\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        ending,
        async (all, size, end) => {
          const framed = all.flatMap((each) => [
            Buffer.from(`${each.length.toString(16)}\r\n`),
            each,
            Buffer.from('\r\n'),
          ])
          const bytes = Buffer.concat([...framed, Buffer.from(`0\r\nx-amz-checksum-crc32:AAAAAA==\r\n${end}`)])
          const read = await decoded(bytes, size, ['x-amz-checksum-crc32'])
          assert.deepEqual(read.bytes, Buffer.concat(all))
          assert.equal(read.found.get('x-amz-checksum-crc32'), 'AAAAAA==')
        },
      ),
    )
  })

  test('any bytes as chunks end with an error of S3, or are such', async () => {
    const piece = fc.oneof(
      fc.constantFrom('0\r\n', '1\r\n', 'ffffffffff\r\n', ';chunk-signature=', '\r\n', '\n', ':'),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), async (all, size) => {
        await decoded(Buffer.from(all.join(''), 'latin1'), size, []).catch((error) => assert.ok(isS3Error(error)))
      }),
      { numRuns: 500 },
    )
  })

  test('any text as a signature is refused in the words of S3', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'AWS4-HMAC-SHA256 ',
        'Credential=',
        'K/20260101/r/s3/aws4_request',
        ',',
        'SignedHeaders=host',
        'Signature=',
        'a'.repeat(64),
        ' ',
      ),
      fc.string({ maxLength: 8 }),
    )
    const text = fc.array(word, { maxLength: 10 }).map((words) => words.join(''))
    fc.assert(
      fc.property(text, text, (authorization, date) => {
        oneOfOurs(() =>
          readSignedParts(new Map(Object.entries({ authorization, 'x-amz-date': date })), Query.parse('')),
        )
        oneOfOurs(() => readSignedParts(new Map(), Query.parse(`X-Amz-Algorithm=${encodeURIComponent(authorization)}`)))
      }),
      { numRuns: 500 },
    )
  })

  test('any text as XML is read or refused', () => {
    const word = fc.oneof(
      fc.constantFrom('<a>', '</a>', '<a/>', '<!--', '-->', '&amp;', '&#x', '<?xml ', '?>', '<![CDATA[', '"', "='"),
      fc.string({ maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) =>
        oneOfOurs(() => void readXml(Buffer.from(words.join('')))),
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('the pace of clients', () => {
  test('one that stands still is given up, in its own time alone', async () => {
    const clock = new VirtualClock()
    const pace = new ClientPace(clock)
    const still = pace.wait(new Promise<number>(() => {}), () => 0)
    const refused = assert.rejects(still, (error) => isS3Error(error, 'RequestTimeout'))
    await clock.advance(PACE_MS)
    await refused
  })

  test('one that drips is given up as soon', async () => {
    const clock = new VirtualClock()
    const pace = new ClientPace(clock)
    const drip = async (ms: number, bytes: number): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<number>()
      clock.after(ms, () => resolve(bytes))
      const waited = pace.wait(promise, (value) => value)
      waited.catch(() => {})
      await clock.advance(ms)
      await waited
    }
    for (let at = 0; at < 20; at++) await drip(PACE_MS / 10, PACE_BYTES / 5)
    await drip(PACE_MS / 2, 1)
    await assert.rejects(drip(PACE_MS / 2 + 1, 1), (error) => isS3Error(error, 'RequestTimeout'))
  })
})
