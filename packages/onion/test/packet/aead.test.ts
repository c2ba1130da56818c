import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, isWeftError, toHex, utf8 } from '@weft/core'
import fc from 'fast-check'
import { Aead } from '../../src/packet/aead.ts'
import { chacha20Xor } from '../../src/sodium.ts'

// RFC 8439, section 2.8.2.
const key = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')
const nonce = fromHex('070000004041424344454647')
const additional = fromHex('50515253c0c1c2c3c4c5c6c7')
const text = utf8(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
)
const sealedText =
  'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b' +
  '1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
  '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691'

describe('Aead', () => {
  it('gives the bytes of RFC 8439, also in place', () => {
    const aead = new Aead(key)
    const sealed = new Uint8Array(text.length + 16)
    aead.seal(sealed, text, additional, nonce)
    assert.equal(toHex(sealed), sealedText)
    const place = new Uint8Array(text.length + 16)
    place.set(text)
    aead.seal(place, place.subarray(0, text.length), additional, nonce)
    assert.deepEqual(place, sealed)
    assert.equal(aead.open(place.subarray(0, text.length), place, additional, nonce), true)
    assert.deepEqual(place.subarray(0, text.length), text)
  })

  it('opens nothing that was changed in content, tag, associated data or nonce', () => {
    const aead = new Aead(key)
    fc.assert(
      fc.property(fc.nat(text.length + 15 + 12 + 12), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const all = new Uint8Array([...fromHex(sealedText), ...additional, ...nonce])
        all[at]! ^= bits
        const end = text.length + 16
        const plain = new Uint8Array(text.length)
        assert.equal(aead.open(plain, all.subarray(0, end), all.subarray(end, end + 12), all.subarray(end + 12)), false)
        assert.deepEqual(plain, new Uint8Array(text.length))
      }),
    )
  })

  it('refuses wrong lengths before they reach the binding', () => {
    const aead = new Aead(key)
    assert.throws(() => new Aead(new Uint8Array(31)), RangeError)
    assert.throws(() => aead.seal(new Uint8Array(20), new Uint8Array(5), undefined, nonce), RangeError)
    assert.throws(() => aead.open(new Uint8Array(5), new Uint8Array(20), undefined, nonce), RangeError)
    assert.throws(() => aead.open(new Uint8Array(5), new Uint8Array(21), undefined, new Uint8Array(11)), RangeError)
    assert.throws(() => aead.open(new Uint8Array(5), new Uint8Array(3), undefined, nonce), RangeError)
  })

  it('neither seals nor opens after its key was wiped, and leaves the key it was given', () => {
    const given = key.slice()
    const aead = new Aead(given)
    aead.wipe()
    assert.deepEqual(given, key)
    assert.throws(
      () => aead.seal(new Uint8Array(21), new Uint8Array(5), undefined, nonce),
      (error) => isWeftError(error, 'E_KEY_WIPED'),
    )
    assert.equal(aead.open(new Uint8Array(text.length), fromHex(sealedText), additional, nonce), false)
  })

  it('protects headers by the keystream of RFC 9001, appendix A.5', () => {
    const sample = fromHex('5e5cd55c41f69080575d7999c25a5bfb')
    const mask = new Uint8Array(5)
    chacha20Xor(
      mask,
      sample.subarray(4),
      new DataView(sample.buffer).getUint32(0, true),
      fromHex('25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4'),
    )
    assert.equal(toHex(mask), 'aefefe7d03')
  })
})
