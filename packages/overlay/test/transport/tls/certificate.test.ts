import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { didOfPeer, toPrivateKey } from '../../../src/transport/peer-id.ts'
import { TAG, der, readDer } from '../../../src/transport/tls/der.ts'
import { createHostCertificate } from '../../../src/transport/tls/host-certificate.ts'
import { verifyCertificate } from '../../../src/transport/tls/verify-certificate.ts'

const key = SigningKey.generate()
const { certificate } = await createHostCertificate(toPrivateKey(key))
const NOW = Date.UTC(2026, 0, 1)

test('our certificate proves the node key, at any time', async () => {
  for (const now of [Date.UTC(2001, 0, 1), NOW, Date.UTC(2100, 0, 1)])
    assert.equal(didOfPeer(await verifyCertificate(certificate, now)), key.id)
  const parsed = new X509Certificate(certificate)
  assert.equal(parsed.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.equal(parsed.subject, undefined)
})

test('no changed byte is accepted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(certificate.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = certificate.slice()
      changed[at] = (changed[at] as number) ^ flip
      await assert.rejects(verifyCertificate(changed, NOW), { code: 'E_CERTIFICATE_INVALID' })
    }),
    { numRuns: 500 },
  )
})

test('a certificate before its time, cut short, too long or of other bytes is refused', async () => {
  const refused = { code: 'E_CERTIFICATE_INVALID' }
  await assert.rejects(verifyCertificate(certificate, Date.UTC(1999, 0, 1)), refused)
  await assert.rejects(verifyCertificate(certificate.subarray(0, 100), NOW), refused)
  await assert.rejects(verifyCertificate(new Uint8Array(5_000), NOW), refused)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) =>
      assert.rejects(verifyCertificate(bytes, NOW), refused),
    ),
  )
})

test('the identity of one certificate does not fit the key of another', async () => {
  const other = await createHostCertificate(toPrivateKey(SigningKey.generate()))
  const [body, algorithm, signature] = readDer(readDer(certificate)[0]!.content)
  const [otherBody] = readDer(readDer(other.certificate)[0]!.content)
  assert.ok(body !== undefined && algorithm !== undefined && signature !== undefined && otherBody !== undefined)
  const swapped = der(TAG.sequence, otherBody.bytes, algorithm.bytes, signature.bytes)
  await assert.rejects(verifyCertificate(swapped, NOW), { code: 'E_CERTIFICATE_INVALID' })
})

test('DER is read as it was written, and anything else is a RangeError', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...Object.values(TAG)), fc.uint8Array({ maxLength: 400 })), { maxLength: 5 }),
      (values) => {
        const bytes = new Uint8Array(values.flatMap(([tag, content]) => [...der(tag, content)]))
        assert.deepEqual(
          readDer(bytes).map(({ tag, content }) => [tag, content]),
          values.map(([tag, content]) => [tag, content]),
        )
      },
    ),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readDer(bytes)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
  )
})
