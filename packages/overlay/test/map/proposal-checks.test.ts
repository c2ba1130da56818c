import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { type SigningKey, verifySignature } from '@weft/crypto'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { certificateHash, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { type MapBody, encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import { MapSigner } from '../../src/map/map-signer.ts'
import { PROPOSAL_CHECKS } from '../../src/map/proposal-checks.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import {
  BEGIN,
  EPOCH,
  bodyOf,
  certificateOf,
  codeOf,
  temporaryDirectory,
  testNetwork,
  wireCertificate,
} from '../fixtures.ts'

const fixture = testNetwork(4, 2)
const [first, second, , signerKey] = fixture.keys as [SigningKey, SigningKey, SigningKey, SigningKey]
const MAP_EPOCH = 100
const NOW = BEGIN + MAP_EPOCH * EPOCH + 10
const DAY = 86_400_000

interface Proposal {
  readonly leader?: SigningKey
  readonly body?: Partial<MapBody>
  readonly certificates?: ReturnType<typeof wireCertificate>[]
  /** Certificates that the signing validator has already. */
  readonly known?: ReturnType<typeof certificateOf>[]
}

const good = [0, 1].map((index) => wireCertificate(bodyOf(fixture, index), fixture.keys.slice(0, 3)))
good.sort((a, b) => Buffer.compare(a.body.subarray(0, 80), b.body.subarray(0, 80)))

/** Proposes a map to a validator that has all checks but one. `signed`, or the code of the refusal. */
async function propose(hostile: Proposal, without?: string): Promise<string> {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const { network } = fixture
  const pool = new CertificatePool(network, database)
  pool.offer(hostile.known ?? [])
  const checks = PROPOSAL_CHECKS.filter(({ name }) => name !== without)
  const signer = new MapSigner({ network, key: signerKey, pool, database, checks, clock: new VirtualClock(NOW) })
  const certificates = hostile.certificates ?? good
  const entries = certificates.map(({ body }) => body)
  const body = encodeMapBody({
    network: network.id,
    epoch: MAP_EPOCH,
    root: mapRoot(entries),
    count: entries.length,
    signedAt: NOW,
    ...hostile.body,
  })
  let signed = false
  const code = await codeOf(() => {
    const proposal = { body, certificateHashes: entries.map(certificateHash), certificates }
    const { signature } = signer.consider(proposal, (hostile.leader ?? first).id)
    signed = signature !== undefined && verifySignature('map', body, signature.signature, signature.signer)
  })
  return signed ? 'signed' : code
}

const voters = fixture.keys.slice(0, 3)
const otherNetwork = testNetwork(1, 0).network

/** For each check a proposal that only this check stops. */
const HOSTILE: Record<string, { code: string; proposal: Proposal }[]> = {
  network: [{ code: 'E_MAP_PROPOSAL', proposal: { body: { network: otherNetwork.id } } }],
  leader: [{ code: 'E_MAP_PROPOSAL', proposal: { leader: second } }],
  epoch: [
    { code: 'E_MAP_PROPOSAL', proposal: { body: { epoch: MAP_EPOCH + 400 } } },
    { code: 'E_MAP_PROPOSAL', proposal: { body: { epoch: MAP_EPOCH - 4 } } },
    {
      code: 'E_MAP_PROPOSAL',
      proposal: {
        body: { signedAt: NOW + DAY },
        certificates: [wireCertificate(bodyOf(fixture, 0, { expiresAt: NOW + 3 * DAY }), voters)],
      },
    },
  ],
  'certificate-quorum': [
    {
      code: 'E_CERTIFICATE_QUORUM',
      proposal: { certificates: [wireCertificate(bodyOf(fixture, 0), voters.slice(0, 2))] },
    },
    {
      code: 'E_CERTIFICATE_QUORUM',
      proposal: { certificates: [wireCertificate(bodyOf(fixture, 0), [first, first, second])] },
    },
    {
      code: 'E_CERTIFICATE_QUORUM',
      proposal: { certificates: [wireCertificate(bodyOf(fixture, 0), [first, second, ...fixture.keys.slice(4)])] },
    },
  ],
  'certificate-order': [
    { code: 'E_MAP_PROPOSAL', proposal: { certificates: good.toReversed() } },
    { code: 'E_MAP_PROPOSAL', proposal: { certificates: [good[0], good[0]] as never } },
  ],
  expiry: [
    {
      code: 'E_MAP_PROPOSAL',
      proposal: { certificates: [wireCertificate(bodyOf(fixture, 0, { expiresAt: NOW }), voters)] },
    },
  ],
  newest: [{ code: 'E_MAP_PROPOSAL', proposal: { known: [certificateOf(fixture, 0, { issuedEpoch: 50 })] } }],
  root: [
    { code: 'E_MAP_PROPOSAL', proposal: { body: { root: new Uint8Array(32) } } },
    { code: 'E_MAP_PROPOSAL', proposal: { body: { count: 3 } } },
  ],
}

test('a right proposal is signed', async () => {
  assert.equal(await propose({}), 'signed')
})

test('a renewal of the last epoch does not spoil a proposal with the certificate before it', async () => {
  assert.equal(await propose({ known: [certificateOf(fixture, 0, { issuedEpoch: MAP_EPOCH - 1 })] }), 'signed')
})

test('every check of proposals has a hostile leader here', () => {
  assert.deepEqual(Object.keys(HOSTILE).toSorted(), PROPOSAL_CHECKS.map(({ name }) => name).toSorted())
})

for (const [name, cases] of Object.entries(HOSTILE)) {
  for (const [index, { code, proposal }] of cases.entries()) {
    test(`check ${name}, case ${index + 1}: it refuses, and nothing else would`, async () => {
      assert.equal(await propose(proposal), code)
      assert.equal(await propose(proposal, name), 'signed')
    })
  }
}

test('what the validator lacks is asked for and not signed', () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const { network } = fixture
  const pool = new CertificatePool(network, database)
  const signer = new MapSigner({
    network,
    key: signerKey,
    pool,
    database,
    checks: PROPOSAL_CHECKS,
    clock: new VirtualClock(NOW),
  })
  const entries = good.map(({ body }) => body)
  const body = encodeMapBody({ network: network.id, epoch: MAP_EPOCH, root: mapRoot(entries), count: 2, signedAt: NOW })
  const hashes = entries.map(certificateHash)
  const answer = signer.consider({ body, certificateHashes: hashes, certificates: good.slice(0, 1) }, first.id)
  assert.deepEqual(answer.missing, hashes.slice(1))
  assert.equal(answer.signature, undefined)
  assert.equal(pool.size, 1, 'what was sent and is good is kept')
  assert.ok(signer.consider({ body, certificateHashes: hashes, certificates: good.slice(1) }, first.id).signature)
  assert.equal(encodeCertificateBody(bodyOf(fixture, 0)).length < 300, true)
})
