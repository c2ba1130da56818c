import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fromHex, toHex, utf8 } from '@weft/core'
import { equalConstantTime, hkdf, sha256, wipe } from '../src/index.ts'

it('hashes the FIPS 180-4 example, whole and in parts', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(toHex(sha256(utf8('abc'))), expected)
  assert.equal(toHex(sha256(utf8('a'), utf8(''), utf8('bc'))), expected)
})

it('derives RFC 5869 test case 1', () => {
  const okm = hkdf(
    fromHex('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b'),
    fromHex('000102030405060708090a0b0c'),
    fromHex('f0f1f2f3f4f5f6f7f8f9'),
    42,
  )
  assert.equal(toHex(okm), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
})

it('compares and wipes', () => {
  const key = Uint8Array.of(1, 2, 3)
  assert.ok(equalConstantTime(key, Uint8Array.of(1, 2, 3)))
  assert.ok(!equalConstantTime(key, Uint8Array.of(1, 2, 4)))
  assert.ok(!equalConstantTime(key, Uint8Array.of(1, 2)))
  wipe(key)
  assert.deepEqual(key, new Uint8Array(3))
})
