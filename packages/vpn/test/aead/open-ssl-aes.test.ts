import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { silentLogger } from '@weft/core'
import { type Aes256, Packet, type PacketAead, type Span } from '@weft/onion'
import fc from 'fast-check'
import { hasAesInstructions } from '../../src/aead/hardware-aes.ts'
import { loadSuites } from '../../src/aead/load-suites.ts'
import { loadOpenSslAes } from '../../src/aead/open-ssl-aes.ts'

/** As node:crypto computes it. */
function expected(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  if (additional.length > 0) cipher.setAAD(additional)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

/** Of any place in a packet before its last 200 bytes. */
const span: fc.Arbitrary<Span> = fc
  .record({ length: fc.integer({ min: 1, max: 900 }), tail: fc.nat(200), plain: fc.nat(1_000), sealed: fc.nat(1_000) })
  .map(({ length, tail, plain, sealed }) => {
    const most = 1_240 - length - 16
    return { id: 0, length, tail, plain: plain % most, sealed: sealed % most }
  })

function setNonce(aead: PacketAead, nonce: Uint8Array): void {
  new Uint8Array(aead.nonce.buffer, aead.nonce.byteOffset, 12).set(nonce)
}

/** A packet inside of a larger buffer, as in receive rings, and on memory of its own. */
const slots = () => [new Packet(), new Packet(new ArrayBuffer(4_000), 1_441)]

describe("AES-256 of Node's OpenSSL", () => {
  let aes: Aes256
  before(async () => {
    aes = await loadOpenSslAes()
  })

  test('is AES-256-GCM as node:crypto computes it, in place and to another slot, and opens only what was sealed', () => {
    fc.assert(
      fc.property(bytes(32), bytes(12), span, bytes(1440), fc.nat(), (key, nonce, moved, content, where) => {
        const [sealing, opening] = [aes.gcm(key), aes.gcm(key)]
        for (const aead of [sealing, opening]) setNonce(aead, nonce)
        const [left, right] = slots() as [Packet, Packet]
        for (const [from, to] of [
          [left, right],
          [right, left],
          [left, left],
          [right, right],
        ] as const) {
          const part = from === to ? { ...moved, plain: moved.sealed } : moved
          const { plain, sealed, length, tail } = part
          left.bytes.set(content)
          right.bytes.set(content)
          const wanted = content.slice()
          wanted.set(
            expected(key, nonce, content.subarray(1440 - tail), content.subarray(plain, plain + length)),
            sealed,
          )
          sealing.seal(to, from, part)
          assert.deepEqual(to.bytes, wanted, 'nothing beside it is written')
          if (from !== to) assert.deepEqual(from.bytes, content)
          const copy = to.bytes.slice()
          assert.ok(opening.open(from, to, part))
          assert.deepEqual(from.bytes.slice(plain, plain + length), content.slice(plain, plain + length))
          // Any bit of ciphertext, tag or associated data.
          const at = where % (length + 16 + tail)
          to.bytes.set(copy)
          const changed = at < length + 16 ? sealed + at : 1440 - 1 - (at - length - 16)
          to.bytes[changed]! ^= 1 << (where % 8)
          assert.equal(opening.open(from, to, part), false)
          assert.deepEqual(from.bytes.slice(plain, plain + length), new Uint8Array(length), 'nothing of it is left')
          to.bytes.set(copy)
          assert.ok(opening.open(from, to, part), 'and the next is opened')
        }
        sealing.wipe()
        opening.wipe()
      }),
      { numRuns: 100 },
    )
  })

  test('its masks are blocks of AES-256; a wiped key gives none', () => {
    fc.assert(
      fc.property(bytes(32), bytes(1440), (key, content) => {
        const header = aes.mask(key)
        for (const packet of slots()) {
          packet.bytes.set(content)
          const mask = header.of(packet)
          const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
          assert.deepEqual(
            Buffer.from(mask.buffer, mask.byteOffset, mask.byteLength),
            cipher.update(content.subarray(20, 36)),
          )
          assert.deepEqual(packet.bytes, content, 'the packet is as it was')
        }
        header.wipe()
        header.wipe()
        assert.deepEqual(new Uint8Array(header.of(new Packet()).buffer), new Uint8Array(16))
      }),
      { numRuns: 50 },
    )
    assert.throws(() => aes.mask(new Uint8Array(31)), RangeError)
  })

  test('a wiped key seals nothing and opens nothing; keys have 32 bytes', () => {
    const key = randomBytes(32)
    const aead = aes.gcm(key)
    const part: Span = { id: 0, plain: 44, sealed: 44, length: 100, tail: 0 }
    const packet = new Packet()
    aead.seal(packet, packet, part)
    assert.throws(() => aes.gcm(key.subarray(1)), RangeError)
    const copy = packet.bytes.slice()
    aead.wipe()
    aead.wipe()
    assert.throws(() => aead.seal(packet, packet, part), { code: 'E_KEY_WIPED' })
    assert.equal(aead.open(packet, packet, part), false)
    assert.deepEqual(packet.bytes, copy)
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
  assert.equal(typeof (await loadSuites('auto', silentLogger, () => true)).aes256?.gcm, 'function')
})
