import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, seededRandom, toHex, utf8 } from '@weft/core'
import { SigningKey, agreementKeyOf, hpkeOpen, hpkeSeal, x25519KeyPair } from '../src/index.ts'

const info = utf8('Ode on a Grecian Urn')
const aad = utf8('Count-0')
const plaintext = utf8('Beauty is truth, truth beauty')

test('the first message of RFC 9180, A.1.1', () => {
  const recipient = x25519KeyPair(fromHex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'))
  assert.equal(toHex(recipient.publicKey), '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d')
  const ephemeral = fromHex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736')
  const random = { ...seededRandom(0), bytes: () => ephemeral.slice() }
  const sealed = hpkeSeal(recipient.publicKey, { info, aad, plaintext }, random)
  assert.equal(toHex(sealed.encapsulated), '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431')
  assert.equal(
    toHex(sealed.ciphertext),
    'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
  )
  assert.deepEqual(hpkeOpen(recipient, { info, aad, ...sealed }), plaintext)
})

test('nothing opens that was changed, or is for another key or use', () => {
  const random = seededRandom(7)
  const recipient = x25519KeyPair(random.bytes(32))
  const sealed = { info, aad, ...hpkeSeal(recipient.publicKey, { info, aad, plaintext }, random) }
  assert.equal(hpkeOpen(x25519KeyPair(random.bytes(32)), sealed), undefined)
  fc.assert(
    fc.property(
      fc.constantFrom('info', 'aad', 'encapsulated', 'ciphertext'),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (field, at, bit) => {
        const changed = sealed[field as 'info'].slice()
        // X25519 takes no notice of the highest bit (RFC 7748, section 5), but the key schedule does.
        changed[at % changed.length]! ^= 1 << bit
        assert.equal(hpkeOpen(recipient, { ...sealed, [field]: changed }), undefined)
      },
    ),
    { numRuns: 60 },
  )
  for (const length of [0, 15, 16, 31]) {
    assert.equal(hpkeOpen(recipient, { ...sealed, ciphertext: sealed.ciphertext.subarray(0, length) }), undefined)
    assert.equal(hpkeOpen(recipient, { ...sealed, encapsulated: sealed.encapsulated.subarray(0, length) }), undefined)
  }
  // A point of low order: the secret would be zero whatever the key.
  assert.equal(hpkeOpen(recipient, { ...sealed, encapsulated: new Uint8Array(32) }), undefined)
})

test('an identity key has an agreement key, the same from both halves', () => {
  // Published with the conversion of libsodium.
  const key = new SigningKey(fromHex('421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee'))
  assert.equal(
    toHex(agreementKeyOf(key.publicKey)!),
    'f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50',
  )
  for (let seed = 0; seed < 20; seed++) {
    const one = new SigningKey(seededRandom(seed).bytes(32))
    assert.deepEqual(one.agreementKeyPair().publicKey, agreementKeyOf(one.publicKey))
  }
})

test('what is no key of the curve, or would agree on a secret that everybody knows, has no agreement key', () => {
  const neutral = Uint8Array.of(1, ...new Uint8Array(31))
  const minusOne = Uint8Array.of(0xec, ...new Uint8Array(30).fill(0xff), 0x7f)
  for (const bad of [neutral, minusOne, new Uint8Array(31), new Uint8Array(32).fill(0xff)]) {
    assert.equal(agreementKeyOf(bad), undefined)
  }
})
