import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { certificateHash, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { type MapBody, encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import { MapJudge } from '../../src/map/map-judge.ts'
import { PROPOSAL_CHECKS } from '../../src/map/proposal-checks.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import {
  NO_BEACON,
  NO_REVOCATIONS,
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
const [first, second, third] = fixture.keys as [SigningKey, SigningKey, SigningKey]
const MAP_EPOCH = 100
const NOW = BEGIN + MAP_EPOCH * EPOCH + 10
const DAY = 86_400_000

interface Proposal {
  readonly leader?: SigningKey
  readonly body?: Partial<MapBody>
  readonly certificates?: ReturnType<typeof wireCertificate>[]
  /** Certificates that the judging validator has already. */
  readonly known?: ReturnType<typeof certificateOf>[]
  /** Whose certificates validators decided against. */
  readonly revoked?: string
  /** The map epoch in which it got them. */
  readonly knownSince?: number
  /** Whom it looked for in vain. */
  readonly doubted?: string
  /** In place of those of the certificates. */
  readonly hashes?: Uint8Array[]
}

const good = [0, 1].map((index) => wireCertificate(bodyOf(fixture, index), fixture.keys.slice(0, 3)))
good.sort((a, b) => Buffer.compare(a.body.subarray(0, 80), b.body.subarray(0, 80)))

/** Proposes a map to a validator that has all checks but one. `good`, or the code of the refusal. */
async function propose(hostile: Proposal, without?: string): Promise<string> {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const { network } = fixture
  const clock = new VirtualClock(BEGIN + (hostile.knownSince ?? MAP_EPOCH) * EPOCH)
  const pool = new CertificatePool(network, database, clock, NO_REVOCATIONS)
  pool.offer(hostile.known ?? [])
  await clock.advance(NOW - clock.now())
  const checks = PROPOSAL_CHECKS.filter(({ name }) => name !== without)
  const revocations = { voids: ({ id }: { id: string }) => id === hostile.revoked }
  const judge = new MapJudge({
    absences: { isDoubted: (id) => id === hostile.doubted },
    network,
    pool,
    revocations,
    checks,
    rounds: () => [0, 1],
    clock,
  })
  const certificates = hostile.certificates ?? good
  const entries = certificates.map(({ body }) => body)
  const body = encodeMapBody({
    network: network.id,
    epoch: MAP_EPOCH,
    root: mapRoot(entries),
    count: entries.length,
    signedAt: NOW,
    ...NO_BEACON,
    ...hostile.body,
  })
  const code = await codeOf(() => {
    const proposal = { body, certificateHashes: hostile.hashes ?? entries.map(certificateHash), certificates }
    assert.deepEqual(judge.consider(proposal, (hostile.leader ?? first).id), [])
  })
  assert.notEqual(judge.verdict(body), code === 'nothing' ? false : true)
  return judge.verdict(body) === true ? 'good' : code
}

const voters = fixture.keys.slice(0, 3)
const otherNetwork = testNetwork(1, 0).network

/** Of a proposal that brings more certificates than it lists: the right body and list. */
function onlyGood(): Proposal {
  const entries = good.map(({ body }) => body)
  return { hashes: entries.map(certificateHash), body: { root: mapRoot(entries), count: entries.length } }
}

/** For each check a proposal that only this check stops. */
const HOSTILE: Record<string, { code: string; proposal: Proposal }[]> = {
  network: [{ code: 'E_MAP_PROPOSAL', proposal: { body: { network: otherNetwork.id } } }],
  leader: [{ code: 'E_MAP_PROPOSAL', proposal: { leader: third } }],
  epoch: [
    { code: 'E_MAP_PROPOSAL', proposal: { body: { epoch: MAP_EPOCH + 400 } } },
    { code: 'E_MAP_PROPOSAL', proposal: { body: { epoch: MAP_EPOCH - 4 } } },
    {
      code: 'E_MAP_PROPOSAL',
      proposal: { leader: second, body: { epoch: MAP_EPOCH + 1, signedAt: NOW + EPOCH } },
    },
    {
      code: 'E_MAP_PROPOSAL',
      proposal: { body: { signedAt: NOW + DAY / 2 } },
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
  size: [
    { code: 'E_MAP_PROPOSAL', proposal: { body: { count: 3 } } },
    {
      code: 'E_MAP_PROPOSAL',
      proposal: { certificates: good.flatMap((one) => Array.from({ length: 129 }, () => one)), ...onlyGood() },
    },
  ],
  newest: [
    {
      code: 'E_MAP_PROPOSAL',
      proposal: { known: [certificateOf(fixture, 0, { issuedEpoch: 50 })], knownSince: MAP_EPOCH - 5 },
    },
  ],
  complete: [{ code: 'E_MAP_PROPOSAL', proposal: { known: [certificateOf(fixture, 2)], knownSince: MAP_EPOCH - 5 } }],
  revoked: [{ code: 'E_MAP_PROPOSAL', proposal: { revoked: (fixture.keys[1] as SigningKey).id } }],
  placed: [{ code: 'E_MAP_PROPOSAL', proposal: { body: { placed: 1 } } }],
  root: [{ code: 'E_MAP_PROPOSAL', proposal: { body: { root: new Uint8Array(32) } } }],
}

test('a right proposal is good', async () => {
  assert.equal(await propose({}), 'good')
})

test('the proposer of the next round is heard as well', async () => {
  assert.equal(await propose({ leader: second }), 'good')
})

test('a renewal spoils no proposal with the certificate before it until every leader had a turn', async () => {
  const renewal = certificateOf(fixture, 0, { issuedEpoch: MAP_EPOCH - 5 })
  assert.equal(await propose({ known: [renewal], knownSince: MAP_EPOCH - 4 }), 'good')
  assert.equal(await propose({ known: [renewal], knownSince: MAP_EPOCH - 5 }), 'E_MAP_PROPOSAL')
})

test('whoever is known since a moment, or does not answer here either, may be left out', async () => {
  const known = [certificateOf(fixture, 2)]
  assert.equal(await propose({ known, knownSince: MAP_EPOCH - 4 }), 'good')
  assert.equal(await propose({ known, knownSince: MAP_EPOCH - 5, doubted: (fixture.keys[2] as SigningKey).id }), 'good')
})

test('a certificate that was kept back since long ago counts from when it is shown', async () => {
  assert.equal(await propose({ known: [certificateOf(fixture, 0, { issuedEpoch: 1 })] }), 'good')
})

test('every check of proposals has a hostile leader here', () => {
  assert.deepEqual(Object.keys(HOSTILE).toSorted(), PROPOSAL_CHECKS.map(({ name }) => name).toSorted())
})

for (const [name, cases] of Object.entries(HOSTILE)) {
  for (const [index, { code, proposal }] of cases.entries()) {
    test(`check ${name}, case ${index + 1}: it refuses, and nothing else would`, async () => {
      assert.equal(await propose(proposal), code)
      assert.equal(await propose(proposal, name), 'good')
    })
  }
}

test('what the validator lacks is asked for, and there is no verdict', () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const { network } = fixture
  const clock = new VirtualClock(NOW)
  const pool = new CertificatePool(network, database, clock, NO_REVOCATIONS)
  const revocations = NO_REVOCATIONS
  const judge = new MapJudge({
    absences: { isDoubted: () => false },
    network,
    pool,
    revocations,
    checks: PROPOSAL_CHECKS,
    rounds: () => [0],
    clock,
  })
  const entries = good.map(({ body }) => body)
  const body = encodeMapBody({
    network: network.id,
    epoch: MAP_EPOCH,
    root: mapRoot(entries),
    count: 2,
    signedAt: NOW,
    ...NO_BEACON,
  })
  const hashes = entries.map(certificateHash)
  const missing = judge.consider({ body, certificateHashes: hashes, certificates: good.slice(0, 1) }, first.id)
  assert.deepEqual(missing, hashes.slice(1))
  assert.equal(judge.verdict(body), undefined)
  assert.equal(pool.size, 1, 'what was sent and is good is kept')
  assert.deepEqual(judge.consider({ body, certificateHashes: hashes, certificates: good.slice(1) }, first.id), [])
  assert.equal(judge.verdict(body), true)
  assert.equal(encodeCertificateBody(bodyOf(fixture, 0)).length < 300, true)
})
