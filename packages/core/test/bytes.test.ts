import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromBase32,
  fromBase64Url,
  fromHex,
  toBase32,
  toBase64Url,
  toHex,
  utf8,
} from '../src/index.ts'

describe('bytes', () => {
  it('encodes RFC 4648 section 10 base32 in lower case without padding', () => {
    const vectors: [string, string][] = [
      ['', ''],
      ['f', 'my'],
      ['fo', 'mzxq'],
      ['foo', 'mzxw6'],
      ['foob', 'mzxw6yq'],
      ['fooba', 'mzxw6ytb'],
      ['foobar', 'mzxw6ytboi'],
    ]
    for (const [text, expected] of vectors) {
      assert.equal(toBase32(utf8(text)), expected)
      assert.deepEqual(fromBase32(expected), utf8(text))
    }
  })

  it('round-trips every encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.deepEqual(fromHex(toHex(bytes)), bytes)
        assert.deepEqual(fromBase32(toBase32(bytes)), bytes)
        assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes)
      }),
    )
  })

  it('accepts each value in one spelling only', () => {
    // 'my' is 'f'; 'mz' carries non-zero trailing bits of the same byte.
    assert.throws(() => fromBase32('mz'), SyntaxError)
    assert.throws(() => fromBase32('MY'), SyntaxError)
    assert.throws(() => fromBase32('m'), SyntaxError)
    assert.throws(() => fromBase64Url('Zh'), SyntaxError)
    assert.throws(() => fromBase64Url('Zg=='), SyntaxError)
    assert.throws(() => fromBase64Url(' Zg'), SyntaxError)
  })

  it('refuses or canonically decodes any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        for (const [decode, encode] of [
          [fromBase32, toBase32],
          [fromBase64Url, toBase64Url],
        ] as const) {
          let bytes: Uint8Array
          try {
            bytes = decode(text)
          } catch (error) {
            assert.ok(error instanceof SyntaxError)
            continue
          }
          assert.equal(encode(bytes), text)
        }
      }),
    )
  })

  it('orders and compares like the numbers they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (a, b) => {
        assert.equal(Math.sign(compareBytes(a, b)), Math.sign(Buffer.compare(a, b)))
        assert.equal(equalBytes(a, b), compareBytes(a, b) === 0)
        assert.deepEqual(concatBytes([a, b]), new Uint8Array(Buffer.concat([a, b])))
      }),
    )
  })
})
