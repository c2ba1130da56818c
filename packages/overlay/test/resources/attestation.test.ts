import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { fromHex, toHex } from '@weft/core'
import { type SignedEnvelope, SigningKey, sealEnvelope } from '@weft/crypto'
import { resourcesField } from '../../src/admission/resources-field.ts'
import { verifyCertificate } from '../../src/admission/certificate.ts'
import {
  type Attestation,
  MAX_ATTESTATION,
  attestedEnergy,
  decodeAttestation,
  encodeAttestation,
} from '../../src/resources/attestation.ts'
import { formatAttestation, parseAttestation } from '../../src/resources/attestation-text.ts'
import { issueAttestation } from '../../src/resources/issue-attestation.ts'
import { requireAttester } from '../../src/resources/require-attester.ts'
import { resourcesUntil } from '../../src/resources/resources-until.ts'
import { BEGIN, bodyOf, codeOf, testNetwork, wireCertificate } from '../fixtures.ts'
import { ATTESTER, anyFigures, attestedFor } from './any-resources.ts'

const fixture = testNetwork(4, 1, { attesters: [ATTESTER.id] })
const { network } = fixture
const member = (fixture.keys[4] as SigningKey).publicKey
const energy = (changes: Partial<Attestation> = {}) =>
  attestedFor(
    { network: network.id, key: member },
    { source: 'hydro', carbon: 24, notAfter: BEGIN + 1_000, ...changes },
  )

const anyAttestation: fc.Arbitrary<Attestation> = fc
  .record({
    figures: anyFigures,
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    notAfter: fc.nat({ max: 8.64e15 }),
  })
  .map(({ figures, key, notAfter }) => ({ network: network.id, member: key, ...figures, notAfter }))

test('an attestation reads back as it was written, and fits its limit', () => {
  fc.assert(
    fc.property(anyAttestation, (attestation) => {
      const bytes = encodeAttestation(attestation)
      assert.ok(bytes.length <= MAX_ATTESTATION)
      assert.deepEqual(decodeAttestation(bytes, 'it'), attestation)
    }),
  )
})

test('other bytes are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2 * MAX_ATTESTATION }), (bytes) => {
      assert.throws(() => decodeAttestation(bytes, 'it'), { code: 'E_ATTESTATION_MALFORMED' })
    }),
  )
})

test('the text of one reads back, and no other text is read', async () => {
  const { statement } = energy()
  const text = formatAttestation(statement)
  assert.match(text, /^weft-attest-[A-Za-z0-9_-]+$/)
  assert.deepEqual(parseAttestation(text), statement)
  for (const wrong of [
    '',
    text.slice(5),
    `${text}=`,
    text.slice(0, -4),
    `weft-attest-${'A'.repeat(5_000)}`,
    `${text}AAAA`,
  ])
    assert.equal(await codeOf(() => parseAttestation(wrong)), 'E_ATTESTATION_TEXT', wrong.slice(0, 40))
  fc.assert(
    fc.property(fc.string(), (tail) => {
      assert.throws(() => parseAttestation(`weft-attest-${tail}`), { code: 'E_ATTESTATION_TEXT' })
    }),
  )
})

test('it counts when an attester of the network signed exactly that', async () => {
  const require = (changes: Partial<SignedEnvelope>, attester = ATTESTER.id): Promise<string> => {
    const right = energy()
    return codeOf(() => requireAttester(network, { ...right, attester, statement: { ...right.statement, ...changes } }))
  }
  assert.equal(await require({}), 'nothing')
  assert.equal(await require({ payload: energy({ carbon: 23 }).statement.payload }), 'E_SIGNATURE_INVALID')
  const other = SigningKey.generate()
  assert.equal(await require({ signer: other.publicKey }), 'E_SIGNATURE_INVALID')
  assert.equal(await require({}, other.id), 'E_ATTESTATION_SIGNER')
  const { payload } = energy().statement
  const passedOff = sealEnvelope('vote', payload, ATTESTER)
  assert.equal(await require(passedOff), 'E_SIGNATURE_INVALID', 'a signature for another purpose')
})

test('a certificate whose attestation nobody signed is none, whoever voted for it', async () => {
  const certified = (resources: ReturnType<typeof energy>): Promise<string> => {
    const body = bodyOf(fixture, 4, { expiresAt: BEGIN + 1_000, resources: { site: 'home', energy: resources } })
    return codeOf(() => verifyCertificate(network, wireCertificate(body, fixture.keys.slice(0, 3))))
  }
  assert.equal(await certified(energy()), 'nothing')
  const forged = { ...energy(), statement: { ...energy().statement, signature: new Uint8Array(64) } }
  assert.equal(await certified(forged), 'E_SIGNATURE_INVALID')
  const outsider = SigningKey.generate()
  const foreign = attestedFor({ network: network.id, key: member }, { carbon: 1, notAfter: BEGIN + 1_000 }, outsider)
  assert.equal(await certified(foreign), 'E_ATTESTATION_SIGNER')
  assert.equal(await certified(energy({ notAfter: BEGIN + 999 })), 'E_CERTIFICATE_MALFORMED', 'it ends sooner')
})

test('only a key that the network file names may attest, and nothing out of bounds', async () => {
  const claim = { member, carbon: 24, notAfter: BEGIN }
  const own = SigningKey.generate()
  const { payload, signer } = issueAttestation(network, [own, ATTESTER], claim)
  assert.deepEqual(signer, ATTESTER.publicKey)
  assert.deepEqual(decodeAttestation(payload, 'it'), { network: network.id, ...claim })
  assert.equal(await codeOf(() => issueAttestation(network, [own], claim)), 'E_NOT_ATTESTER')
  assert.equal(await codeOf(() => issueAttestation(testNetwork(4).network, [ATTESTER], claim)), 'E_NOT_ATTESTER')
  assert.throws(() => issueAttestation(network, [own], claim), /names 1 attester, and this node is none \(its keys: …/)
  const issue = (changes: object) => codeOf(() => issueAttestation(network, [ATTESTER], { ...claim, ...changes }))
  assert.equal(await issue({ carbon: 2_001 }), 'E_ATTESTATION_MALFORMED')
  assert.equal(await issue({ carbon: undefined }), 'E_ATTESTATION_MALFORMED')
  assert.equal(await issue({ notAfter: -1 }), 'E_ATTESTATION_MALFORMED')
})

test('a certificate that outlives an attestation declares what it said', () => {
  const resources = { site: 'home', energy: energy() } as const
  assert.equal(resourcesUntil(resources, BEGIN + 1_000), resources)
  assert.deepEqual(resourcesUntil(resources, BEGIN + 1_001), {
    site: 'home',
    energy: { evidence: 'declared', source: 'hydro', carbon: 24 },
  })
  const declared = { site: 'home', energy: { evidence: 'declared', carbon: 1 } } as const
  assert.equal(resourcesUntil(declared, Infinity), declared)
  assert.equal(resourcesUntil(undefined, 0), undefined)
})

test('resources.json: attestations', () => {
  const { attestations } = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/resources.json'), 'utf8')) as {
    attestations: readonly {
      readonly network: string
      readonly member: string
      readonly said: Omit<Attestation, 'network' | 'member'>
      readonly statement: string
      readonly signer: string
      readonly signature: string
      readonly text: string
      readonly field: string
    }[]
  }
  assert.equal(attestations.length, 2)
  for (const vector of attestations) {
    const attestation = { network: vector.network, member: fromHex(vector.member), ...vector.said }
    assert.equal(toHex(encodeAttestation(attestation)), vector.statement)
    const statement = parseAttestation(vector.text)
    assert.deepEqual(
      [toHex(statement.payload), toHex(statement.signer), toHex(statement.signature)],
      [vector.statement, vector.signer, vector.signature],
    )
    const holder = { network: vector.network, key: attestation.member, expiresAt: vector.said.notAfter }
    const read = attestedEnergy(statement, holder, 'it')
    requireAttester({ file: network.file, isAttester: () => true }, read)
    assert.equal(formatAttestation(read.statement), vector.text)
    const descriptor = resourcesField({ site: 'home', energy: read }) as unknown[]
    assert.equal(toHex(encode(descriptor[4])), vector.field)
  }
})
