import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import { MapJudge } from '../../src/map/map-judge.ts'
import { PROPOSAL_CHECKS } from '../../src/map/proposal-checks.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { type VerifiedCertificate, toWireCertificate } from '../../src/admission/certificate.ts'
import {
  NO_BEACON,
  BEGIN,
  EPOCH,
  NO_REVOCATIONS,
  bodyOf,
  certificateOf,
  codeOf,
  temporaryDirectory,
  testNetwork,
  wireCertificate,
} from '../fixtures.ts'
import { readAll } from '../admission/read-all.ts'

const fixture = testNetwork(4, 2)

function judgeOf(pool: CertificatePool, clock: VirtualClock): MapJudge {
  return new MapJudge({
    absences: { isDoubted: () => false },
    network: fixture.network,
    pool,
    revocations: NO_REVOCATIONS,
    checks: PROPOSAL_CHECKS,
    rounds: () => [0],
    clock,
  })
}

/** A judge in epoch 100, round 0, that knows the certificates of 0 and 4. */
function openJudge(directory: string) {
  const { network } = fixture
  const database = new MembershipDatabase(directory)
  const clock = new VirtualClock(BEGIN + 100 * EPOCH + 10)
  const pool = new CertificatePool(network, database, clock, NO_REVOCATIONS)
  pool.offer([certificateOf(fixture, 0), certificateOf(fixture, 4)])
  return { judge: judgeOf(pool, clock), pool, clock, [Symbol.dispose]: () => database[Symbol.dispose]() }
}

/** A proposal for epoch 100 that lists the certificates given. */
function proposalOf(certificates: readonly VerifiedCertificate[], signedAt: number, epoch = 100) {
  const { id } = fixture.network
  const listed = certificates.toSorted((a, b) => Buffer.compare(a.body.key, b.body.key))
  const root = mapRoot(listed.map(({ bodyBytes }) => bodyBytes))
  const body = encodeMapBody({ network: id, epoch, root, count: listed.length, signedAt, ...NO_BEACON })
  return { body, certificateHashes: listed.map(({ hash }) => hash) }
}

/** Certificates whose votes tell when somebody looks at them. */
function watched(certificates: readonly VerifiedCertificate[]) {
  let looks = 0
  const watchedOnes = certificates.map((certificate) => {
    const wire = toWireCertificate(certificate)
    const { votes } = wire
    return Object.defineProperty(wire, 'votes', { get: () => (looks++, votes) })
  })
  return { certificates: watchedOnes, looks: () => looks }
}

test('of a message only certificates that are listed and not known are looked at, each once', () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, clock } = opened
  const leader = fixture.keys[0]?.id as never
  const [known, lacking, unlisted] = [0, 5, 1].map((index) => certificateOf(fixture, index)) as [
    VerifiedCertificate,
    VerifiedCertificate,
    VerifiedCertificate,
  ]
  const { certificates, looks } = watched([known, unlisted, ...Array.from({ length: 100 }, () => lacking)])
  const proposal = proposalOf([known, lacking], clock.now())
  assert.deepEqual(judge.consider({ ...proposal, certificates }, leader), [])
  assert.equal(judge.verdict(proposal.body), true)
  assert.equal(looks(), 1)
  assert.deepEqual(judge.consider({ ...proposal, certificates }, leader), [], 'the same body, answered from memory')
  assert.equal(looks(), 1)
})

test('between the certificates that a message brings others have the thread, and a second one brings nothing new', async () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, pool, clock } = opened
  const leader = fixture.keys[0]?.id as never
  const listed = [1, 2, 3].map((index) => certificateOf(fixture, index))
  const { certificates, looks } = watched(listed)
  const proposal = { ...proposalOf([0, 4].map((index) => certificateOf(fixture, index)).concat(listed), clock.now()) }
  const { signal } = new AbortController()
  const first = judge.considerInSlices({ ...proposal, certificates }, leader, signal)
  assert.equal(looks(), 1)
  const second = judge.considerInSlices({ ...proposal, certificates }, leader, signal)
  assert.equal(looks(), 2)
  while (judge.verdict(proposal.body) === undefined) await clock.advance(0)
  await clock.advance(0)
  assert.deepEqual([await first, await second], [[], []])
  assert.equal(looks(), 3)
  assert.equal(pool.size, 5)
})

test('a message whose sender goes is not looked through to its end', async () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, pool, clock } = opened
  const { certificates, looks } = watched([1, 2, 3].map((index) => certificateOf(fixture, index)))
  const proposal = proposalOf(
    [1, 2, 3].map((index) => certificateOf(fixture, index)),
    clock.now(),
  )
  const gone = new AbortController()
  const judged = codeOf(() =>
    judge.considerInSlices({ ...proposal, certificates }, fixture.keys[0]?.id as never, gone.signal),
  )
  gone.abort()
  assert.equal(await judged, 'E_ABORTED')
  assert.equal(looks(), 1)
  assert.equal(pool.size, 3, 'and what was verified is kept')
})

test('before it has read what it knows a validator judges no map, and asks for no certificate', async () => {
  using directory = temporaryDirectory()
  {
    using _ = openJudge(directory.path)
  }
  using database = new MembershipDatabase(directory.path)
  const clock = new VirtualClock(BEGIN + 100 * EPOCH + 10)
  const pool = new CertificatePool(fixture.network, database, clock, NO_REVOCATIONS)
  const judge = judgeOf(pool, clock)
  const proposal = {
    ...proposalOf([certificateOf(fixture, 0), certificateOf(fixture, 4)], clock.now()),
    certificates: [],
  }
  const leader = fixture.keys[0]?.id as never
  assert.equal(await codeOf(() => judge.consider(proposal, leader)), 'E_VALIDATOR_STARTING')
  assert.equal(judge.verdict(proposal.body), undefined, 'which is no verdict')
  await readAll(pool, clock)
  assert.deepEqual(judge.consider(proposal, leader), [])
  assert.equal(judge.verdict(proposal.body), true)
})

test('of a message from somebody whose turn it is not no certificate is looked at', async () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, clock } = opened
  const { certificates, looks } = watched([certificateOf(fixture, 5)])
  const proposal = { ...proposalOf([certificateOf(fixture, 5)], clock.now()), certificates }
  assert.equal(await codeOf(() => judge.consider(proposal, fixture.keys[1]?.id as never)), 'E_MAP_PROPOSAL')
  assert.equal(looks(), 0)
})

test('after one bad certificate no other of the message is looked at', async () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const bad = wireCertificate(bodyOf(fixture, 5), fixture.keys.slice(0, 2))
  const listed = [certificateOf(fixture, 5), certificateOf(fixture, 1)]
  const { certificates, looks } = watched(listed.slice(1))
  const proposal = { ...proposalOf(listed, opened.clock.now()), certificates: [bad, ...certificates] }
  assert.equal(
    await codeOf(() => opened.judge.consider(proposal, fixture.keys[0]?.id as never)),
    'E_CERTIFICATE_QUORUM',
  )
  assert.equal(looks() <= 1, true, 'by the check that refuses, at most')
})

test('a validator has one body for an epoch', async () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, clock } = opened
  const leader = fixture.keys[0]?.id as never
  const first = proposalOf([certificateOf(fixture, 5)], clock.now())
  assert.equal(judge.consider({ ...first, certificates: [] }, leader).length, 1)
  const other = { ...proposalOf([certificateOf(fixture, 0)], clock.now()), certificates: [] }
  assert.equal(await codeOf(() => judge.consider(other, leader)), 'E_MAP_PROPOSAL')
  const certificates = [toWireCertificate(certificateOf(fixture, 5))]
  assert.deepEqual(judge.consider({ ...first, certificates }, leader), [], 'which is the first')
  assert.equal(judge.verdict(first.body), true)
  assert.equal(judge.verdict(other.body), undefined)
})

test('what a leader brings piece by piece is not asked for twice, even where newer ones are known', () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, clock, pool } = opened
  const leader = fixture.keys[0]?.id as never
  const older = [1, 5].map((index) => certificateOf(fixture, index))
  pool.offer([1, 5].map((index) => certificateOf(fixture, index, { issuedEpoch: 99 })))
  const proposal = proposalOf(older, clock.now())
  const pieces = older.map((certificate) => [toWireCertificate(certificate)])
  assert.equal(judge.consider({ ...proposal, certificates: [] }, leader).length, 2)
  assert.equal(judge.consider({ ...proposal, certificates: pieces[0] ?? [] }, leader).length, 1)
  assert.deepEqual(judge.consider({ ...proposal, certificates: pieces[1] ?? [] }, leader), [])
})

test('the entries of a body that was found good are at hand, and those of few', () => {
  using directory = temporaryDirectory()
  using opened = openJudge(directory.path)
  const { judge, clock } = opened
  const { body, certificateHashes } = proposalOf([certificateOf(fixture, 0)], clock.now())
  judge.consider({ body, certificateHashes, certificates: [] }, fixture.keys[0]?.id as never)
  const root = mapRoot([certificateOf(fixture, 0).bodyBytes])
  assert.deepEqual(judge.entries(root), [certificateOf(fixture, 0).bodyBytes])
  assert.equal(judge.entries(new Uint8Array(32)), undefined)
})
