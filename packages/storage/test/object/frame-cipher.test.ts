import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '@weft/core'
import fc from 'fast-check'
import { FrameCipher } from '../../src/object/frame-cipher.ts'
import { deriveObjectKeys } from '../../src/object/object-keys.ts'

const keys = deriveObjectKeys(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2))
const cipher = new FrameCipher(keys)
const whole = (counter: number, last: boolean, plaintext: Uint8Array): Uint8Array => {
  const { ciphertext, tag } = cipher.seal(counter, last, plaintext)
  return concatBytes([ciphertext, tag])
}
const plain = fc.uint8Array({ maxLength: 300 })
const counter = fc.nat({ max: 2 ** 32 - 1 })

test('a frame opens at its place', () => {
  fc.assert(
    fc.property(plain, counter, fc.boolean(), (bytes, at, last) =>
      assert.deepEqual(new Uint8Array(cipher.open(at, last, whole(at, last, bytes))), bytes),
    ),
  )
})

test('a frame at another place, or with another last-flag, does not open', () => {
  fc.assert(
    fc.property(plain, counter, counter, fc.boolean(), (bytes, at, other, last) => {
      fc.pre(at !== other)
      const frame = whole(at, last, bytes)
      assert.throws(() => cipher.open(other, last, frame), { code: 'E_OBJECT_KEY' })
      assert.throws(() => cipher.open(at, !last, frame), { code: 'E_OBJECT_KEY' })
    }),
  )
})

test('a changed, cut or lengthened frame does not open', () => {
  fc.assert(
    fc.property(plain, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, where, flip) => {
      const frame = whole(3, false, bytes)
      const changed = frame.slice()
      changed[where % frame.length]! ^= flip
      for (const bad of [
        changed,
        frame.slice(1),
        frame.slice(0, -1),
        concatBytes([frame, Uint8Array.of(0)]),
        new Uint8Array(0),
      ]) {
        assert.throws(() => cipher.open(3, false, bad), { code: 'E_OBJECT_KEY' })
      }
    }),
  )
})

test('keys of other objects and other data keys open nothing', () => {
  const frame = whole(0, true, new Uint8Array(10))
  const other = deriveObjectKeys(new Uint8Array(32).fill(1), new Uint8Array(32).fill(3))
  assert.throws(() => new FrameCipher(other).open(0, true, frame), { code: 'E_OBJECT_KEY' })
  assert.notDeepEqual(keys.sealKey, other.sealKey)
})
