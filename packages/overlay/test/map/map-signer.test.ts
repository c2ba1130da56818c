import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import { MapSigner } from '../../src/map/map-signer.ts'
import { PROPOSAL_CHECKS } from '../../src/map/proposal-checks.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { type VerifiedCertificate, toWireCertificate } from '../../src/admission/certificate.ts'
import {
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

/** A signer over a state directory, and proposals for it. */
export function openSigner(directory: string, at = 100) {
  const { network, keys } = fixture
  const database = new MembershipDatabase(directory)
  const clock = new VirtualClock(BEGIN + at * EPOCH + 10)
  const pool = new CertificatePool(network, database, clock, NO_REVOCATIONS)
  const certificates = [certificateOf(fixture, 0), certificateOf(fixture, 4)]
  pool.offer(certificates)
  const signer = new MapSigner({
    revocations: NO_REVOCATIONS,
    network,
    key: keys[3] as never,
    pool,
    database,
    checks: PROPOSAL_CHECKS,
    clock,
  })
  const propose = (count: 1 | 2, epoch = at) => {
    const listed = certificates.slice(0, count).sort((a, b) => Buffer.compare(a.body.key, b.body.key))
    const root = mapRoot(listed.map(({ bodyBytes }) => bodyBytes))
    const body = encodeMapBody({ network: network.id, epoch, root, count, signedAt: clock.now() })
    return signer.consider(
      { body, certificateHashes: listed.map(({ hash }) => hash), certificates: [] },
      keys[epoch % 4]?.id as never,
    )
  }
  return { propose, signer, pool, clock, [Symbol.dispose]: () => database[Symbol.dispose]() }
}

test('a second body of the same epoch is never signed; the same body may be asked for again', async () => {
  using directory = temporaryDirectory()
  using signer = openSigner(directory.path)
  const once = signer.propose(2)
  assert.deepEqual(signer.propose(2).signature, once.signature)
  assert.equal(await codeOf(() => signer.propose(1)), 'E_MAP_SIGNED_OTHER')
})

test('an epoch before the last one signed is not signed any more', async () => {
  using directory = temporaryDirectory()
  using signer = openSigner(directory.path, 101)
  signer.propose(2, 101)
  assert.equal(await codeOf(() => signer.propose(2, 100)), 'E_MAP_SIGNED_OTHER')
})

test('the memory of a signature survives a restart', async () => {
  using directory = temporaryDirectory()
  {
    using signer = openSigner(directory.path)
    signer.propose(2)
  }
  using again = openSigner(directory.path)
  assert.equal(await codeOf(() => again.propose(1)), 'E_MAP_SIGNED_OTHER')
  assert.ok(again.propose(2).signature)
})

test('a process killed between writing and sending its signature signs nothing else afterwards', async () => {
  using directory = temporaryDirectory()
  // The child dies by SIGKILL in the very moment in which it would sign.
  const code = `
    import { SigningKey } from '@weft/crypto'
    SigningKey.prototype.sign = ((sign) => function (purpose, bytes) {
      if (purpose === 'map') process.kill(process.pid, 'SIGKILL')
      return sign.call(this, purpose, bytes)
    })(SigningKey.prototype.sign)
    const { openSigner } = await import(${JSON.stringify(import.meta.url)})
    openSigner(${JSON.stringify(directory.path)}).propose(2)
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  assert.equal(child.signal, 'SIGKILL', child.stderr)
  using again = openSigner(directory.path)
  assert.equal(await codeOf(() => again.propose(1)), 'E_MAP_SIGNED_OTHER')
  assert.ok(again.propose(2).signature)
})

/** A proposal of the leader of epoch 100 that lists the certificates given. */
function proposalOf(certificates: readonly VerifiedCertificate[], signedAt: number, epoch = 100) {
  const { id } = fixture.network
  const listed = certificates.toSorted((a, b) => Buffer.compare(a.body.key, b.body.key))
  const root = mapRoot(listed.map(({ bodyBytes }) => bodyBytes))
  const body = encodeMapBody({ network: id, epoch, root, count: listed.length, signedAt })
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
  using opened = openSigner(directory.path)
  const { signer, clock } = opened
  const leader = fixture.keys[0]?.id as never
  const [known, lacking, unlisted] = [0, 5, 1].map((index) => certificateOf(fixture, index)) as [
    VerifiedCertificate,
    VerifiedCertificate,
    VerifiedCertificate,
  ]
  const { certificates, looks } = watched([known, unlisted, ...Array.from({ length: 100 }, () => lacking)])
  const proposal = proposalOf([known, lacking], clock.now())
  assert.ok(signer.consider({ ...proposal, certificates }, leader).signature)
  assert.equal(looks(), 1)
  assert.ok(signer.consider({ ...proposal, certificates }, leader).signature, 'the same body, answered from memory')
  assert.equal(looks(), 1)
})

test('of a message from somebody whose turn it is not no certificate is looked at', async () => {
  using directory = temporaryDirectory()
  using opened = openSigner(directory.path)
  const { signer, clock } = opened
  const { certificates, looks } = watched([certificateOf(fixture, 5)])
  const proposal = { ...proposalOf([certificateOf(fixture, 5)], clock.now()), certificates }
  assert.equal(await codeOf(() => signer.consider(proposal, fixture.keys[1]?.id as never)), 'E_MAP_PROPOSAL')
  assert.equal(looks(), 0)
})

test('after one bad certificate no other of the message is looked at', async () => {
  using directory = temporaryDirectory()
  using opened = openSigner(directory.path)
  const bad = wireCertificate(bodyOf(fixture, 5), fixture.keys.slice(0, 2))
  const listed = [certificateOf(fixture, 5), certificateOf(fixture, 1)]
  const { certificates, looks } = watched(listed.slice(1))
  const proposal = { ...proposalOf(listed, opened.clock.now()), certificates: [bad, ...certificates] }
  assert.equal(
    await codeOf(() => opened.signer.consider(proposal, fixture.keys[0]?.id as never)),
    'E_CERTIFICATE_QUORUM',
  )
  assert.equal(looks() <= 1, true, 'by the check that refuses, at most')
})

test('a leader has one body for its epoch', async () => {
  using directory = temporaryDirectory()
  using opened = openSigner(directory.path)
  const { signer, clock } = opened
  const leader = fixture.keys[0]?.id as never
  const first = proposalOf([certificateOf(fixture, 5)], clock.now())
  assert.equal(signer.consider({ ...first, certificates: [] }, leader).missing.length, 1)
  const other = { ...proposalOf([certificateOf(fixture, 0)], clock.now()), certificates: [] }
  assert.equal(await codeOf(() => signer.consider(other, leader)), 'E_MAP_PROPOSAL')
  const certificates = [toWireCertificate(certificateOf(fixture, 5))]
  assert.ok(signer.consider({ ...first, certificates }, leader).signature, 'which is the first')
})

test('what a leader brings piece by piece is not asked for twice, even where newer ones are known', () => {
  using directory = temporaryDirectory()
  using opened = openSigner(directory.path)
  const { signer, clock, pool } = opened
  const leader = fixture.keys[0]?.id as never
  const older = [1, 5].map((index) => certificateOf(fixture, index))
  pool.offer([1, 5].map((index) => certificateOf(fixture, index, { issuedEpoch: 99 })))
  const proposal = proposalOf(older, clock.now())
  const pieces = older.map((certificate) => [toWireCertificate(certificate)])
  assert.equal(signer.consider({ ...proposal, certificates: [] }, leader).missing.length, 2)
  assert.equal(signer.consider({ ...proposal, certificates: pieces[0] ?? [] }, leader).missing.length, 1)
  assert.ok(signer.consider({ ...proposal, certificates: pieces[1] ?? [] }, leader).signature)
})
