import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { verifyCertificate } from '../../src/admission/certificate.ts'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { encodeRevocationBody } from '../../src/revocation/revocation-body.ts'
import { verifyRevocation } from '../../src/revocation/revocation.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import {
  BEGIN,
  EPOCH,
  NO_REVOCATIONS,
  bodyOf,
  codeOf,
  testNetwork,
  wireCertificate,
  wireRevocation,
} from '../fixtures.ts'
import { readAll } from '../admission/read-all.ts'
import { signedMapOf } from '../map/many-entries.ts'
import { Orphans } from './orphans.ts'

const FIRST = 20
const fixture = testNetwork(4, 8)
const old = fixture.keys.slice(0, 4)
const fresh = fixture.keys.slice(4, 8)
const { entries } = new Orphans(fixture)
const at = (epoch: number): number => BEGIN + epoch * EPOCH

/** The network of a node that knows of the second term, or does not yet. */
function networkIn(isKnown: boolean): Network {
  const network = networkOf(fixture.network.file)
  if (isKnown) begin(network)
  return network
}

function begin(network: Network): void {
  const validators = fresh.map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: id }))
  network.begin({ number: 1, fromEpoch: FIRST, rotation: 0, validators })
}

function membershipOf(network: Network, epoch: number, database = new MemoryMembershipStore()): SignedMembership {
  const clock = new VirtualClock(at(epoch))
  return new SignedMembership({ network, database, revocations: NO_REVOCATIONS, clock, logger: silentLogger })
}

const certificate = (epoch: number, voters: readonly SigningKey[]) =>
  wireCertificate(bodyOf(fixture, 9, { issuedEpoch: epoch, expiresAt: at(epoch) + 1_000 }), voters)

test('a certificate is verified by the term of its epoch', async () => {
  const codes = async (network: Network) =>
    Promise.all(
      [
        certificate(FIRST - 1, old),
        certificate(FIRST, old),
        certificate(FIRST - 1, fresh),
        certificate(FIRST, fresh),
      ].map((one) => codeOf(() => verifyCertificate(network, one))),
    )
  assert.deepEqual(await codes(networkIn(true)), ['nothing', 'E_CERTIFICATE_QUORUM', 'E_CERTIFICATE_QUORUM', 'nothing'])
  assert.deepEqual(await codes(networkIn(false)), [
    'nothing',
    'nothing',
    'E_CERTIFICATE_QUORUM',
    'E_CERTIFICATE_QUORUM',
  ])
})

test('a certificate ends no later than its epoch allows, so that those who had seats cannot admit for ever', async () => {
  const network = networkIn(true)
  const { certificateTtlMs } = network.file
  const ending = (expiresAt: number): Promise<string> =>
    codeOf(() => verifyCertificate(network, wireCertificate(bodyOf(fixture, 9, { issuedEpoch: 3, expiresAt }), old)))
  assert.equal(await ending(at(3) + certificateTtlMs), 'nothing')
  assert.equal(await ending(at(3) + certificateTtlMs + 1), 'E_CERTIFICATE_MALFORMED')
})

test('a pool of before keeps what the term of each certificate signed', async () => {
  const store = new MemoryMembershipStore()
  const clock = new VirtualClock(at(FIRST))
  const ignorant = new CertificatePool(networkIn(false), store, clock, NO_REVOCATIONS)
  const [one, two] = [9, 10].map((index, by) =>
    wireCertificate(bodyOf(fixture, index, { issuedEpoch: FIRST - 1 + by }), old),
  )
  ignorant.submit(one!)
  ignorant.submit(two!)
  assert.equal(ignorant.size, 2)
  const pool = new CertificatePool(networkIn(true), store, clock, NO_REVOCATIONS)
  await readAll(pool, clock)
  assert.deepEqual([pool.size, pool.isCertified(fixture.keys[9]!.id)], [1, true])
})

test('a pool that is handed on looks again only at what the new term should have signed', async () => {
  const store = new MemoryMembershipStore()
  const clock = new VirtualClock(at(FIRST - 6))
  const network = networkIn(false)
  const pool = new CertificatePool(network, store, clock, NO_REVOCATIONS)
  for (const [by, index] of [9, 10].entries())
    pool.submit(wireCertificate(bodyOf(fixture, index, { issuedEpoch: FIRST - 1 + by }), old))
  await clock.advance(6 * EPOCH)
  begin(network)
  pool.beginTerm(network.term)
  assert.deepEqual([pool.size, pool.isWhole], [1, false])
  await readAll(pool, clock)
  assert.deepEqual([pool.size, pool.isCertified(fixture.keys[9]!.id)], [1, true])
  assert.equal(pool.learntEpoch(fixture.keys[9]!.id), FIRST, 'as those who are new have had no turn yet')
})

test('a map is verified by the term of its epoch, over a restart too', async () => {
  const map = (epoch: number, by: readonly SigningKey[]) => signedMapOf(fixture.network, by, entries, epoch)
  const adopt = (membership: SignedMembership, epoch: number, by: readonly SigningKey[]): Promise<string> =>
    codeOf(() => membership.adopt(map(epoch, by), entries))
  const database = new MemoryMembershipStore()
  const membership = membershipOf(networkIn(true), FIRST + 5, database)
  assert.equal(await adopt(membership, FIRST - 1, fresh), 'E_MAP_QUORUM')
  assert.equal(await adopt(membership, FIRST - 1, old), 'nothing')
  assert.equal(await adopt(membership, FIRST, old), 'E_MAP_QUORUM')
  assert.equal(await adopt(membership, FIRST, fresh), 'nothing')
  assert.equal(membershipOf(networkIn(true), FIRST + 5, database).epoch, FIRST)
  assert.equal(membershipOf(networkIn(false), FIRST + 5, database).epoch, undefined)
})

test('whoever held maps of validators whose term was over takes any map of the new ones', async () => {
  const network = networkIn(false)
  const membership = membershipOf(network, FIRST + 9)
  membership.adopt(signedMapOf(network, old, entries, FIRST + 7), entries)
  begin(network)
  assert.equal(membership.epoch, FIRST - 1)
  // What it held serves until there is another.
  assert.equal(membership.members().length, entries.length)
  assert.equal(
    await codeOf(() => membership.adopt(signedMapOf(network, old, entries, FIRST + 8), entries)),
    'E_MAP_QUORUM',
  )
  membership.adopt(signedMapOf(network, fresh, entries, FIRST + 1), entries)
  assert.equal(membership.epoch, FIRST + 1)
  assert.equal(await codeOf(() => membership.adopt(signedMapOf(network, fresh, entries, FIRST), entries)), 'E_MAP_OLD')
})

test('the signatures of a map are counted by the term that signed it, also while the next one is known', () => {
  const network = networkIn(false)
  const membership = membershipOf(network, FIRST + 8)
  membership.adopt(signedMapOf(network, old.slice(0, 3), entries, FIRST - 1), entries)
  const validators = fixture.keys.slice(4, 11).map(({ id }) => ({ id, addresses: [], family: id }))
  network.begin({ number: 1, fromEpoch: FIRST + 6, rotation: 0, validators })
  const { signatures, quorum, validators: seats, fault } = membership.status()
  assert.deepEqual([signatures, quorum, seats], [3, 3, 4])
  assert.deepEqual(membership.signers(), [], 'of a map that is stale nobody is there for sure')
  assert.match(fault?.fix ?? '', /validators of term 1 sign from epoch 26 on, and their first map is awaited/)
  assert.doesNotMatch(fault?.fix ?? '', /Nobody can take/)
})

test('who may call as a validator changes with the term', () => {
  const network = networkIn(false)
  const membership = membershipOf(network, FIRST)
  const [before, after] = [old[0]!.id, fresh[0]!.id]
  assert.deepEqual([membership.allows(before, 'validator'), membership.allows(after, 'validator')], [true, false])
  begin(network)
  assert.deepEqual([membership.allows(before, 'validator'), membership.allows(after, 'validator')], [false, true])
})

test('a map of validators of another term is told from one that nobody signed', () => {
  const membership = membershipOf(networkIn(true), FIRST + 5)
  const of = (by: readonly SigningKey[], epoch = FIRST): boolean =>
    membership.isOfOthers(signedMapOf(fixture.network, by, entries, epoch))
  assert.deepEqual([of(old), of(fresh), of([...old, fresh[0]!]), of([])], [true, false, false, false])
  assert.equal(of(old, FIRST - 1), false)
})

test('a revocation is of the term in which it was decided, and voids nothing that is certified after it', async () => {
  const network = networkIn(true)
  const target = fixture.keys[9]!
  const revocation = (epoch: number, by: readonly SigningKey[], issuedUpTo = epoch) =>
    wireRevocation(
      encodeRevocationBody({
        network: network.id,
        key: target.publicKey,
        issuedUpTo,
        blockedUntil: at(epoch) + 1_000_000,
        reason: 'abuse',
        decidedAt: at(epoch),
      }),
      by,
    )
  const code = (one: ReturnType<typeof revocation>): Promise<string> => codeOf(() => verifyRevocation(network, one))
  assert.equal(await code(revocation(FIRST - 1, old)), 'nothing')
  assert.equal(await code(revocation(FIRST, old)), 'E_REVOCATION_QUORUM')
  assert.equal(await code(revocation(FIRST, fresh)), 'nothing')
  assert.equal(await code(revocation(FIRST - 1, fresh)), 'E_REVOCATION_QUORUM')
  assert.equal(await code(revocation(FIRST - 1, old, FIRST)), 'E_REVOCATION_MALFORMED')
  assert.equal(await code(revocation(FIRST - 1, old, 2 ** 40)), 'E_REVOCATION_MALFORMED')

  // What the old ones decided stays, until the new ones take it back.
  const clock = new VirtualClock(at(FIRST + 2))
  const revocations = new Revocations({ network, database: new MemoryMembershipStore(), clock, logger: silentLogger })
  revocations.offer(revocation(FIRST - 1, old))
  assert.equal(revocations.voids({ id: target.id, issuedEpoch: FIRST - 1 }), true)
  assert.equal(revocations.voids({ id: target.id, issuedEpoch: FIRST }), false)
  const body = { network: network.id, key: target.publicKey, issuedUpTo: -1, blockedUntil: 0 }
  const withdrawn = encodeRevocationBody({ ...body, reason: 'withdrawn', decidedAt: at(FIRST + 1) })
  revocations.offer(wireRevocation(withdrawn, fresh))
  assert.equal(revocations.voids({ id: target.id, issuedEpoch: FIRST - 1 }), false)
})

test('a map that is old says when members take the seats, or that nobody can', async () => {
  const fixOf = async ({ network, fixture: { keys }, entries: all }: Orphans, epochs: number): Promise<string> => {
    const clock = new VirtualClock(at(1))
    const database = new MemoryMembershipStore()
    const init = { network, database, revocations: NO_REVOCATIONS, clock, logger: silentLogger }
    const membership = new SignedMembership(init)
    membership.adopt(signedMapOf(network, keys.slice(0, 4), all, 1), all)
    await clock.advance(epochs * EPOCH)
    const { fault } = membership.status()
    assert.equal(fault?.code, 'E_MAP_STALE')
    assert.match(fault.cause, new RegExp(`is ${epochs} epochs of ${EPOCH / 1_000} s old`))
    assert.match(fault.fix, /`weft network show` lists them/)
    return fault.fix
  }
  const many = new Orphans(fixture)
  const due = new Date(at(1) + fixture.network.file.recoveryAfterMs).toISOString()
  assert.match(await fixOf(many, 5), new RegExp(`other members take their seats at about ${due}`))
  assert.match(await fixOf(many, 61), new RegExp(`Since about ${due} other members agree`))
  assert.match(await fixOf(new Orphans(testNetwork(4, 4)), 5), /Nobody can take their seats/)
})
