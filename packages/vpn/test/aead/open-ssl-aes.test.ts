import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { silentLogger } from '@weft/core'
import type { PacketAead } from '@weft/onion'
import fc from 'fast-check'
import { hasAesInstructions } from '../../src/aead/hardware-aes.ts'
import { loadSuites } from '../../src/aead/load-suites.ts'
import { loadOpenSslAes } from '../../src/aead/open-ssl-aes.ts'

/** As node:crypto computes it. */
function expected(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array | undefined, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  if (additional !== undefined) cipher.setAAD(additional)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe("AES-256-GCM of Node's OpenSSL", () => {
  let aes256Gcm: (key: Uint8Array) => PacketAead
  before(async () => {
    aes256Gcm = await loadOpenSslAes()
  })

  test('is what node:crypto computes, in place and apart, and opens only what was sealed', () => {
    fc.assert(
      fc.property(
        bytes(32),
        bytes(12),
        fc.option(fc.uint8Array({ minLength: 1, maxLength: 200 }), { nil: undefined }),
        fc.uint8Array({ minLength: 1, maxLength: 1_500 }),
        fc.nat(),
        (key, nonce, additional, plain, where) => {
          const sealing = aes256Gcm(key)
          const opening = aes256Gcm(key)
          const right = expected(key, nonce, additional, plain)
          const apart = new Uint8Array(right.length)
          sealing.seal(apart, plain, additional, nonce)
          assert.deepEqual(Buffer.from(apart), right)
          const slot = new Uint8Array(right.length + 20)
          const [sealed, inside] = [slot.subarray(10, 10 + right.length), slot.subarray(10, 10 + plain.length)]
          inside.set(plain)
          sealing.seal(sealed, inside, additional, nonce)
          assert.deepEqual(Buffer.from(sealed), right)
          assert.ok(opening.open(inside, sealed, additional, nonce))
          assert.deepEqual(inside, plain.slice())
          assert.deepEqual(
            [...slot.subarray(0, 10), ...slot.subarray(-10)],
            Array.from({ length: 20 }, () => 0),
          )
          const changed = Uint8Array.from(right)
          changed[where % changed.length] = (changed[where % changed.length] as number) ^ 1
          const out = new Uint8Array(plain.length).fill(7)
          assert.equal(opening.open(out, changed, additional, nonce), false)
          assert.deepEqual(out, new Uint8Array(plain.length), 'nothing of it is left')
          assert.equal(opening.open(out, right, new Uint8Array(201), nonce), false)
          assert.ok(opening.open(out, right, additional, nonce), 'and the next is opened')
          sealing.wipe()
          opening.wipe()
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a wiped key seals nothing and opens nothing; lengths are looked at', () => {
    const [key, nonce, plain] = [randomBytes(32), randomBytes(12), randomBytes(100)]
    const aead = aes256Gcm(key)
    const sealed = new Uint8Array(116)
    aead.seal(sealed, plain, undefined, nonce)
    assert.throws(() => aead.seal(new Uint8Array(115), plain, undefined, nonce), RangeError)
    assert.throws(() => aead.seal(sealed, plain, undefined, nonce.subarray(1)), RangeError)
    assert.throws(() => aead.open(new Uint8Array(101), sealed, undefined, nonce), RangeError)
    assert.throws(() => aes256Gcm(key.subarray(1)), RangeError)
    aead.wipe()
    aead.wipe()
    assert.throws(() => aead.seal(sealed, plain, undefined, nonce), { code: 'E_KEY_WIPED' })
    assert.equal(aead.open(new Uint8Array(100), sealed, undefined, nonce), false)
  })
})

test('AES is taken where all processors have its instructions, and by the setting', async () => {
  const one = 'processor\t: 0\nflags\t\t: fpu aes pclmulqdq avx2\n'
  assert.equal(hasAesInstructions(`${one}\n${one}`, 'x64'), true)
  assert.equal(hasAesInstructions(`${one}\nflags\t\t: fpu aes\n`, 'x64'), false)
  assert.equal(hasAesInstructions('Features\t: fp asimd aes pmull sha1\n', 'arm64'), true)
  assert.equal(hasAesInstructions('Features\t: fp asimd pmull vaes\n', 'arm64'), false)
  assert.equal(hasAesInstructions('', 'x64'), false)
  assert.equal(hasAesInstructions(one, 'riscv64'), false)
  assert.deepEqual(await loadSuites('chacha20-poly1305', silentLogger, () => true), {})
  assert.deepEqual(await loadSuites('auto', silentLogger, () => false), {})
  assert.equal(typeof (await loadSuites('auto', silentLogger, () => true)).aes256Gcm, 'function')
})
