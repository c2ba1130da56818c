import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Unproven, authenticate } from '../../src/auth/authenticate.ts'
import type { Credentials } from '../../src/auth/credentials.ts'
import { decodeChunks } from '../../src/body/aws-chunked.ts'
import { readTarget } from '../../src/http/target.ts'
import { isS3Error } from '../../src/s3-error.ts'

/** The key of the examples in "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. */
const KEY = 'AKIAIOSFODNN7EXAMPLE'
const credentials: Credentials = {
  find: (accessKeyId) =>
    accessKeyId === KEY
      ? {
          accessKeyId,
          secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
          scope: { buckets: 'all', access: 'write' },
        }
      : undefined,
}
const NOW = Date.UTC(2013, 4, 24)
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const HOST = 'examplebucket.s3.amazonaws.com'
const CHUNKED = {
  host: 's3.amazonaws.com',
  'content-encoding': 'aws-chunked',
  'x-amz-decoded-content-length': '66560',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
}

function request(method: string, url: string, headers: Record<string, string>, signature?: string): Unproven {
  const all = new Map(Object.entries({ 'x-amz-date': '20130524T000000Z', ...headers }))
  const names = [...all.keys()].filter((name) => name !== 'authorization').toSorted()
  if (signature !== undefined)
    all.set(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=${KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names.join(';')},Signature=${signature}`,
    )
  const { path, query } = readTarget(url, headers['host'] ?? '', [])
  return { method, path, query, headers: all }
}

const EXAMPLES: readonly (readonly [string, Unproven])[] = [
  [
    'GET with a range',
    request(
      'GET',
      '/test.txt',
      { host: HOST, range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
  ],
  [
    'PUT',
    request(
      'PUT',
      '/test%24file.text',
      {
        host: HOST,
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ),
  ],
  [
    'GET of a subresource',
    request(
      'GET',
      '/?lifecycle',
      { host: HOST, 'x-amz-content-sha256': EMPTY },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ),
  ],
  [
    'a list',
    request(
      'GET',
      '/?max-keys=2&prefix=J',
      { host: HOST, 'x-amz-content-sha256': EMPTY },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ),
  ],
  [
    'PUT in chunks',
    request(
      'PUT',
      '/examplebucket/chunkObject.txt',
      { ...CHUNKED, 'content-length': '66824', 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    ),
  ],
  ['a presigned URL', presigned(86_400)],
]

function presigned(expires: number): Unproven {
  const url = `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${KEY}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`
  const { path, query } = readTarget(url, HOST, [])
  return { method: 'GET', path, query, headers: new Map([['host', HOST]]) }
}

function refused(code: Parameters<typeof isS3Error>[1]) {
  return (error: unknown): boolean => {
    assert.ok(isS3Error(error, code), String(error))
    return true
  }
}

describe('signatures as in the documents of S3', () => {
  for (const [name, example] of EXAMPLES)
    test(name, () => {
      assert.equal(authenticate(example, credentials, NOW).credential.accessKeyId, KEY)
    })

  test('one that is not of this request is refused', () => {
    for (const [, example] of EXAMPLES) {
      assert.throws(
        () => authenticate({ ...example, method: 'DELETE' }, credentials, NOW),
        refused('SignatureDoesNotMatch'),
      )
      assert.throws(
        () => authenticate({ ...example, path: `${example.path}/` }, credentials, NOW),
        refused('SignatureDoesNotMatch'),
      )
    }
  })

  test('a header that means something to S3 has to be signed', () => {
    for (const [, example] of EXAMPLES) {
      const headers = new Map([...example.headers, ['x-amz-meta-more', 'x']])
      assert.throws(() => authenticate({ ...example, headers }, credentials, NOW), refused('AccessDenied'))
    }
  })

  test('15 minutes of skew, and no more, either way', () => {
    const [[, example]] = EXAMPLES as [(typeof EXAMPLES)[0]]
    for (const skew of [-900_000, 900_000]) authenticate(example, credentials, NOW + skew)
    for (const skew of [-900_001, 900_001])
      assert.throws(() => authenticate(example, credentials, NOW + skew), refused('RequestTimeTooSkewed'))
  })

  test('a URL is valid until it expires, and not long before it was signed', () => {
    authenticate(presigned(86_400), credentials, NOW + 86_400_000)
    assert.throws(() => authenticate(presigned(86_400), credentials, NOW + 86_400_001), refused('AccessDenied'))
    assert.throws(() => authenticate(presigned(86_400), credentials, NOW - 900_001), refused('AccessDenied'))
    for (const expires of [0, 604_801])
      assert.throws(
        () => authenticate(presigned(expires), credentials, NOW),
        refused('AuthorizationQueryParametersError'),
      )
    assert.throws(() => authenticate(presigned(604_800), credentials, NOW), refused('SignatureDoesNotMatch'))
  })

  test('an unknown key and no signature at all', () => {
    const [[, example]] = EXAMPLES as [(typeof EXAMPLES)[0]]
    assert.throws(() => authenticate(example, { find: () => undefined }, NOW), refused('InvalidAccessKeyId'))
    assert.throws(
      () => authenticate({ ...example, headers: new Map([['host', HOST]]) }, credentials, NOW),
      refused('AccessDenied'),
    )
  })
})

const A = 'a'.repeat(65_536)
const FIRST = 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'
const SECOND = '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'
const LAST = 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'
const PLAIN = `10000;chunk-signature=${FIRST}\r\n${A}\r\n400;chunk-signature=${SECOND}\r\n${A.slice(0, 1_024)}\r\n0;chunk-signature=${LAST}\r\n\r\n`
const T_FIRST = 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2'
const T_SECOND = '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7'
const T_LAST = '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992'
const T_TRAILER = 'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435'
const TRAILED = `10000;chunk-signature=${T_FIRST}\r\n${A}\r\n400;chunk-signature=${T_SECOND}\r\n${A.slice(0, 1_024)}\r\n0;chunk-signature=${T_LAST}\r\nx-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:${T_TRAILER}\r\n\r\n`

const inChunks = EXAMPLES[4]![1]
const withTrailer = request(
  'PUT',
  '/examplebucket/chunkObject.txt',
  {
    ...CHUNKED,
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'x-amz-trailer': 'x-amz-checksum-crc32c',
  },
  '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
)

async function decoded(example: Unproven, text: string, piece: number, trailers?: readonly string[]) {
  const { seed } = authenticate(example, credentials, NOW)
  const bytes = Buffer.from(text, 'latin1')
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
  })()
  let found: ReadonlyMap<string, string> | undefined
  let out = ''
  for await (const part of decodeChunks(source, { seed, trailers, onTrailers: (each) => (found = each) }))
    out += Buffer.from(part).toString('latin1')
  return { out, trailers: found }
}

describe('chunks as in the documents of S3', () => {
  for (const piece of [100_000, 4_096, 1_000, 37])
    test(`in pieces of ${piece} bytes`, async () => {
      assert.equal((await decoded(inChunks, PLAIN, piece)).out.length, 66_560)
      const { out, trailers } = await decoded(withTrailer, TRAILED, piece, ['x-amz-checksum-crc32c'])
      assert.equal(out.length, 66_560)
      assert.deepEqual([...(trailers ?? [])], [['x-amz-checksum-crc32c', 'sOO8/Q==']])
    })

  test('a byte of the content, of a signature or of a trailer that was changed ends it', async () => {
    for (const at of [500, 66_000, 40, 65_600 + 60, PLAIN.length - 20]) {
      const other = PLAIN[at] === '0' ? '1' : '0'
      const changed = PLAIN.slice(0, at) + other + PLAIN.slice(at + 1)
      await assert.rejects(decoded(inChunks, changed, 4_096), isS3Error)
    }
    await assert.rejects(
      decoded(withTrailer, TRAILED.replace('sOO8', 'sOO9'), 4_096, ['x-amz-checksum-crc32c']),
      refused('SignatureDoesNotMatch'),
    )
    const without = TRAILED.replace(/x-amz-trailer-signature[^\r]*\r\n/, '')
    await assert.rejects(
      decoded(withTrailer, without, 4_096, ['x-amz-checksum-crc32c']),
      refused('SignatureDoesNotMatch'),
    )
  })

  test('what breaks off anywhere never comes to its end', async () => {
    for (const length of [0, 1, 50, 90, 65_000, 65_622, PLAIN.length - 20, PLAIN.indexOf(LAST)])
      await assert.rejects(decoded(inChunks, PLAIN.slice(0, length), 1_000), isS3Error)
  })

  test('more behind the end is refused, and trailers that nobody announced', async () => {
    await assert.rejects(decoded(inChunks, `${PLAIN}x`, 1_000), isS3Error)
    await assert.rejects(decoded(withTrailer, TRAILED, 1_000, []), refused('InvalidRequest'))
  })
})
