import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkCopySource, checkRead, checkWrite, readConditions } from '../../src/http/conditions.ts'
import { readHeaders } from '../../src/http/headers.ts'
import { readObjectMeta } from '../../src/http/object-headers.ts'
import { percentDecode, percentEncode } from '../../src/http/percent.ts'
import { Query } from '../../src/http/query.ts'
import { readCopyRange, readRange } from '../../src/http/range.ts'
import { readTagHeader } from '../../src/http/tags.ts'
import { readTarget } from '../../src/http/target.ts'
import { readCopySource } from '../../src/operations/copy-object.ts'
import { type S3Code, isS3Error } from '../../src/s3-error.ts'

const keys = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((key) => key.isWellFormed())
const is = (code: S3Code) => (error: unknown) => isS3Error(error, code)

describe('targets', () => {
  test('a host that is one of the domains names no bucket, whatever it begins with', () => {
    const domains = ['localhost', 's3.localhost']
    for (const order of [domains, domains.toReversed()]) {
      const byPath = readTarget('/bucket/key', 's3.localhost:7782', order)
      assert.deepEqual([byPath.bucket, byPath.key], ['bucket', 'key'])
      const byHost = readTarget('/key', 'bucket.s3.localhost', order)
      assert.deepEqual([byHost.bucket, byHost.key], ['bucket', 'key'])
    }
  })

  test('any key comes through the path as it is, by path and by host', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const raw = percentEncode(key, '/')
        const byPath = readTarget(`/bucket/${raw}?a=b`, 'localhost:7782', ['localhost'])
        assert.deepEqual([byPath.bucket, byPath.key, byPath.path], ['bucket', key, `/bucket/${key}`])
        const byHost = readTarget(`/${raw}`, 'bucket.with.dots.localhost:7782', ['localhost'])
        assert.deepEqual([byHost.bucket, byHost.key, byHost.path], ['bucket.with.dots', key, `/${key}`])
      }),
    )
  })

  test('dots and slashes mean nothing', () => {
    for (const key of ['..', '../x', './x', '/x', '//', 'a//b', 'a/./b/../c', '.'])
      assert.equal(readTarget(`/b/${key}`, 'h', []).key, key)
  })

  test('a bucket with or without a slash, and none', () => {
    assert.deepEqual([readTarget('/b', 'h', []).key, readTarget('/b/', 'h', []).key], [undefined, undefined])
    assert.equal(readTarget('/', 'h', []).bucket, undefined)
    assert.equal(readTarget('/', 'b.x.y', ['x.y']).bucket, 'b')
    assert.equal(readTarget('/', 'x.y', ['x.y']).bucket, undefined)
  })

  test('1,024 bytes of a key and no more; what is no UTF-8 or no path', () => {
    const long = percentEncode('ü'.repeat(512))
    assert.equal(readTarget(`/b/${long}`, 'h', []).key?.length, 512)
    assert.throws(() => readTarget(`/b/${long}a`, 'h', []), is('KeyTooLongError'))
    for (const url of ['/b/%ff', '/b/%', '/b/%4', '/b/%zz', '*', 'http://h/b', '/b/\u00fc', '/b/%ed%a0%80'])
      assert.throws(() => readTarget(url, 'h', []), is('InvalidURI'))
  })

  test('a source of a copy is any key, with a version or without', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const raw = percentEncode(key, '/')
        assert.deepEqual(readCopySource(`b/${raw}`), { bucket: 'b', key })
        assert.deepEqual(readCopySource(`/b/${raw}?versionId=v1`), { bucket: 'b', key, version: 'v1' })
      }),
    )
    assert.deepEqual(readCopySource(Buffer.from('b/ü').toString('latin1')), { bucket: 'b', key: 'ü' })
    for (const header of ['', 'b', 'b/', '/b/', '/', 'b/%ff', '?versionId=x'])
      assert.throws(() => readCopySource(header), is('InvalidArgument'))
  })
})

describe('percent-encoding and queries', () => {
  test('comes back, and any text is refused or decoded', () => {
    fc.assert(fc.property(keys, (text) => assert.equal(percentDecode(percentEncode(text)), text)))
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void percentDecode(text)))
  })

  test('canonical: encoded anew, by name, then by value, without the signature', () => {
    assert.equal(Query.parse('b=2&a=%7e&a=1&c&=x&X-Amz-Signature=s').canonical('X-Amz-Signature'), '=x&a=1&a=~&b=2&c=')
    assert.equal(Query.parse('p=a+b%2Bc').canonical(), 'p=a%20b%2Bc')
    assert.throws(() => Query.parse('a&'.repeat(200)), is('InvalidRequest'))
  })
})

describe('ranges', () => {
  test('as in RFC 9110, section 14', () => {
    assert.deepEqual(readRange('bytes=0-9', 100), { offset: 0, length: 10 })
    assert.deepEqual(readRange('bytes=90-', 100), { offset: 90, length: 10 })
    assert.deepEqual(readRange('bytes=-10', 100), { offset: 90, length: 10 })
    assert.deepEqual(readRange('bytes=-200', 100), { offset: 0, length: 100 })
    assert.deepEqual(readRange('bytes=99-999', 100), { offset: 99, length: 1 })
    for (const header of [undefined, '', 'bytes=', 'bytes=-', 'bytes=5-2', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b'])
      assert.equal(readRange(header, 100), undefined)
    for (const header of ['bytes=100-', 'bytes=100-200', 'bytes=-0'])
      assert.throws(() => readRange(header, 100), is('InvalidRange'))
    for (const header of ['bytes=0-', 'bytes=-1', 'bytes=0-0'])
      assert.throws(() => readRange(header, 0), is('InvalidRange'))
  })

  test('of any header lies within, or there is none', () => {
    const number = fc.oneof(fc.constant(''), fc.nat().map(String))
    fc.assert(
      fc.property(number, number, fc.nat({ max: 50 }), (first, last, size) => {
        try {
          const range = readRange(`bytes=${first}-${last}`, size)
          if (range !== undefined) assert.ok(range.length > 0 && range.offset + range.length <= size)
        } catch (error) {
          assert.ok(isS3Error(error, 'InvalidRange'))
        }
      }),
    )
  })

  test('of a copy has both ends, within', () => {
    assert.deepEqual(readCopyRange('bytes=0-0', 1), { offset: 0, length: 1 })
    for (const header of ['bytes=0-', 'bytes=-1', '0-1', 'bytes=2-1', 'bytes=0-1,2-3'])
      assert.throws(() => readCopyRange(header, 10), is('InvalidArgument'))
    assert.throws(() => readCopyRange('bytes=0-10', 10), is('InvalidRange'))
  })
})

describe('conditions', () => {
  const entry = { etag: 'e', modifiedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678) }
  const [before, then, after] = [-1, 0, 1].map((s) => new Date(entry.modifiedAt + s * 1_000).toUTCString()) as [
    string,
    string,
    string,
  ]
  const given = (...pairs: [string, string][]) => readConditions(new Map(pairs))

  test('reads: by ETag first, then by date', () => {
    for (const pairs of [
      [['if-match', '"e"']],
      [['if-match', '"x", "e"']],
      [['if-match', '*']],
      [['if-none-match', '"x"']],
      [['if-modified-since', before]],
      [['if-unmodified-since', then]],
      [['if-unmodified-since', 'nonsense']],
      [
        ['if-match', 'e'],
        ['if-unmodified-since', before],
      ],
      [
        ['if-none-match', '"x"'],
        ['if-modified-since', after],
      ],
    ] as [string, string][][])
      checkRead(entry, given(...pairs))
    for (const pairs of [[['if-match', '"x"']], [['if-unmodified-since', before]]] as [string, string][][])
      assert.throws(() => checkRead(entry, given(...pairs)), is('PreconditionFailed'))
    for (const pairs of [
      [['if-none-match', '"e"']],
      [['if-none-match', 'W/"e"']],
      [['if-none-match', '*']],
      [['if-modified-since', then]],
      [
        ['if-none-match', '"e"'],
        ['if-modified-since', before],
      ],
    ] as [string, string][][])
      assert.throws(() => checkRead(entry, given(...pairs)), is('NotModified'))
    assert.throws(
      () => checkRead(entry, given(['if-match', '"x"'], ['if-none-match', '"e"'])),
      is('PreconditionFailed'),
    )
  })

  test('sources of copies: nothing is "not modified"', () => {
    const source = (name: string, value: string) =>
      readConditions(new Map([[`x-amz-copy-source-${name}`, value]]), 'x-amz-copy-source-')
    checkCopySource(entry, source('if-match', '"e"'))
    assert.throws(() => checkCopySource(entry, source('if-none-match', '"e"')), is('PreconditionFailed'))
    assert.throws(() => checkCopySource(entry, source('if-modified-since', then)), is('PreconditionFailed'))
  })

  test('writes', () => {
    assert.deepEqual(checkWrite(undefined, given(['if-none-match', '*'])), { ifNoneMatch: ['*'] })
    assert.deepEqual(checkWrite(entry, given(['if-match', '"e"'])), { ifMatch: ['e'] })
    assert.throws(() => checkWrite(entry, given(['if-none-match', '*'])), is('PreconditionFailed'))
    assert.throws(() => checkWrite(entry, given(['if-match', '"x"'])), is('PreconditionFailed'))
    assert.throws(() => checkWrite(undefined, given(['if-match', '"x"'])), is('NoSuchKey'))
    assert.throws(() => checkWrite(entry, given(['if-none-match', '"x"'])), is('NotImplemented'))
  })
})

describe('headers of objects', () => {
  const meta = (headers: Record<string, string>) => readObjectMeta(new Map(Object.entries(headers)))

  test('2 KiB of metadata and no more, in UTF-8', () => {
    const value = Buffer.from('ü'.repeat(1_023)).toString('latin1')
    assert.equal(meta({ 'x-amz-meta-ab': value }).metadata.get('ab'), 'ü'.repeat(1_023))
    assert.throws(() => meta({ 'x-amz-meta-abc': value }), is('MetadataTooLarge'))
  })

  test('aws-chunked is no encoding of the object', () => {
    const encoding = (value: string) => meta({ 'content-encoding': value }).headers.get('content-encoding')
    assert.equal(encoding('aws-chunked'), undefined)
    assert.equal(encoding('gzip, aws-chunked'), 'gzip')
    assert.equal(encoding('aws-chunked,gzip'), 'gzip')
    assert.equal(encoding('gzip'), 'gzip')
  })

  test('what would not be kept is refused', () => {
    for (const name of [
      'x-amz-object-lock-mode',
      'x-amz-server-side-encryption-customer-key',
      'x-amz-website-redirect-location',
    ])
      assert.throws(() => meta({ [name]: 'x' }), is('NotImplemented'))
    assert.throws(() => meta({ 'x-amz-acl': 'public-read' }), is('AccessControlListNotSupported'))
    assert.throws(() => meta({ 'x-amz-storage-class': 'GLACIER' }), is('InvalidStorageClass'))
    assert.equal(meta({ 'x-amz-acl': 'private', 'x-amz-storage-class': 'VAULT' }).class, 'vault')
  })

  test('tags', () => {
    assert.deepEqual(
      [...readTagHeader('a=1&b=x%20y&c', 10)],
      [
        ['a', '1'],
        ['b', 'x y'],
        ['c', ''],
      ],
    )
    assert.throws(() => readTagHeader('a=1&a=2', 10), is('InvalidTag'))
    assert.throws(() => readTagHeader('a=1&b=2', 1), is('BadRequest'))
    for (const header of ['=1', 'aws:x=1', `${'k'.repeat(129)}=1`, `k=${'v'.repeat(257)}`, 'a=%3C'])
      assert.throws(() => readTagHeader(header, 10), is('InvalidTag'))
  })

  test('two of what decides are refused, others are joined', () => {
    assert.equal(readHeaders(['X-Amz-Meta-A', '1', 'x-amz-meta-a', '2']).get('x-amz-meta-a'), '1,2')
    assert.throws(() => readHeaders(['Host', 'a', 'host', 'b']), is('InvalidRequest'))
    assert.throws(() => readHeaders(Array.from({ length: 300 }, () => 'a')), is('RequestHeaderSectionTooLarge'))
  })
})
