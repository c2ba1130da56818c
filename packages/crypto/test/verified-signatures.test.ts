import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { SigningKey, signatureWork, verifySignature } from '../src/index.ts'
import { VerifiedSignatures } from '../src/verified-signatures.ts'

test('a valid signature is computed once; one that is not, each time', () => {
  const key = SigningKey.generate()
  const bytes = utf8('seen before')
  const signature = key.sign('record', bytes)
  const spent = (signed: Uint8Array): { asked: number; verified: number } => {
    const before = signatureWork()
    for (let times = 0; times < 3; times++) verifySignature('record', bytes, signed, key.publicKey)
    const after = signatureWork()
    return { asked: after.asked - before.asked, verified: after.verified - before.verified }
  }
  assert.deepEqual(spent(signature), { asked: 3, verified: 1 })
  const forged = signature.map((byte) => byte ^ 1)
  assert.deepEqual(spent(forged), { asked: 3, verified: 3 })
  assert.equal(verifySignature('record', bytes, forged, key.publicKey), false)
})

test('what is known of a signature holds for no other purpose, bytes or key', () => {
  const [key, other] = [SigningKey.generate(), SigningKey.generate()]
  const bytes = utf8('mine')
  const signature = key.sign('record', bytes)
  assert.ok(verifySignature('record', bytes, signature, key.publicKey))
  assert.ok(!verifySignature('map', bytes, signature, key.publicKey))
  assert.ok(!verifySignature('record', utf8('mind'), signature, key.publicKey))
  assert.ok(!verifySignature('record', bytes, signature, other.publicKey))
})

test('no more than 4,096 findings are kept, the newest ones', () => {
  const findings = new VerifiedSignatures()
  for (let at = 0; at < 5_000; at++) findings.add(String(at))
  assert.equal(findings.size, 4_096)
  assert.deepEqual([findings.has('903'), findings.has('904'), findings.has('4999')], [false, true, true])
})

test('a process of many nodes keeps more, and never fewer than before', () => {
  const findings = new VerifiedSignatures()
  findings.keep(6_000)
  findings.keep(10)
  for (let at = 0; at < 7_000; at++) findings.add(String(at))
  assert.equal(findings.size, 6_000)
  assert.deepEqual([findings.has('999'), findings.has('1000')], [false, true])
})
