import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import type { Testimony } from '../../src/liveness/evidence.ts'
import { encodeSignOfLife } from '../../src/liveness/sign-of-life.ts'
import { StatementIntake, type StatementInterest } from '../../src/liveness/statement-intake.ts'
import { statementSignatures } from '../../src/liveness/statement-signatures.ts'
import { encodeSuspicion } from '../../src/liveness/suspicion.ts'
import { BEGIN, testKeys } from '../fixtures.ts'
import { NETWORK } from './liveness-simulation.ts'

const [self, subject, observer, stranger] = testKeys(4) as [SigningKey, SigningKey, SigningKey, SigningKey]
const NONE = new Uint8Array()
const nonce = new Uint8Array(16).fill(7)
let clock = new VirtualClock(BEGIN)
let wanted: (Testimony | number)[] = []
let intake: StatementIntake
const interest: StatementInterest = {
  wantsAlive: (_, incarnation) => wanted.push(incarnation) > 0,
  wantsSuspicion: (_, testimony) => wanted.push(testimony) > 0,
  wantsAccusation: () => true,
}

beforeEach(() => {
  clock = new VirtualClock(BEGIN)
  wanted = []
  intake = new StatementIntake({
    network: NETWORK,
    self: self.id,
    signatures: statementSignatures(self),
    clock,
    placeOf: (id) => (id === stranger.id ? undefined : { family: id, prefix: id }),
  })
})

function suspicion(by: SigningKey, changes: object = {}) {
  const body = { network: NETWORK, accused: subject.publicKey, incarnation: BEGIN, at: BEGIN, ...changes }
  return statementSignatures(by).sign('suspicion', encodeSuspicion(body))
}

function life(of: SigningKey, changes: object = {}) {
  const body = { network: NETWORK, incarnation: BEGIN, nonce: NONE, ...changes }
  return statementSignatures(of).sign('alive', encodeSignOfLife(body))
}

const read = (alive: readonly ReturnType<typeof life>[], suspicions: readonly ReturnType<typeof life>[] = []) =>
  intake.read(observer.id, { alive, suspicions }, interest)

test('what is new and truly signed is heard, once', () => {
  const statements = [[life(subject)], [suspicion(observer), suspicion(observer, { accused: self.publicKey })]] as const
  assert.deepEqual(
    read(...statements).map(({ kind }) => kind),
    ['alive', 'suspicion', 'accusation'],
  )
  assert.deepEqual(read(...statements), [], 'a second time it is no news')
})

test('a bent signature, or one of another purpose, is not heard', () => {
  const bent = suspicion(observer)
  assert.deepEqual(read([], [{ ...bent, signature: bent.signature.with(3, 1) }]), [])
  assert.deepEqual(read([], [{ ...bent, signer: subject.publicKey }]), [])
  const wrong = statementSignatures(observer).sign('alive', bent.payload)
  assert.deepEqual(read([], [wrong]), [])
  assert.equal(read([], [bent]).length, 1, 'the true one is heard after them')
})

test('nobody but members observes, and nobody itself', () => {
  assert.deepEqual(read([], [suspicion(stranger), suspicion(subject), suspicion(self)]), [])
  assert.deepEqual(wanted, [], 'no signature is looked at')
})

test('what is old, or far ahead of the clock, is not heard', () => {
  for (const changes of [{ at: BEGIN - 30_001 }, { at: BEGIN + 30_001 }, { incarnation: BEGIN + 90_001 }]) {
    assert.deepEqual(read([], [suspicion(observer, changes)]), [])
  }
  assert.deepEqual(read([life(subject, { incarnation: BEGIN + 60_001 })]), [])
  assert.equal(intake.told(BEGIN + 60_001), 0)
  assert.equal(intake.told(BEGIN + 60_000), BEGIN + 60_000)
})

test('too many statements, another network, and bytes that are none are refused', () => {
  const malformed = { code: 'E_LIVENESS_MALFORMED' }
  assert.throws(
    () =>
      read(
        [],
        Array.from({ length: 9 }, () => suspicion(observer)),
      ),
    malformed,
  )
  assert.throws(() => read([life(subject, { network: `w${'a'.repeat(32)}` })]), malformed)
  assert.throws(() => read([{ ...life(subject), signature: new Uint8Array(63) }]), malformed)
  assert.throws(() => read([], [{ ...suspicion(observer), payload: new Uint8Array(9) }]), malformed)
})

test('a proof is by the target over the nonce, and by nobody else over nothing else', () => {
  const proof = (envelope: ReturnType<typeof life>): number | undefined =>
    intake.proof(observer.id, subject.id, nonce, envelope)
  assert.equal(proof(life(subject, { nonce })), BEGIN)
  assert.equal(proof(life(subject)), undefined)
  assert.equal(proof(life(subject, { nonce: new Uint8Array(16) })), undefined)
  assert.equal(proof(life(observer, { nonce })), undefined)
  assert.equal(proof({ ...life(observer, { nonce }), signer: subject.publicKey }), undefined)
  assert.equal(proof(life(subject, { nonce, incarnation: BEGIN + 60_001 })), undefined)
})

test('a helper testifies for itself about the node that it was asked to look at', () => {
  const testimony = (envelope: ReturnType<typeof life>) => intake.testimony(observer.id, subject.id, envelope)
  assert.equal(testimony(suspicion(observer))?.observer, observer.id)
  assert.equal(testimony(suspicion(self)), undefined)
  assert.equal(testimony(suspicion(observer, { accused: stranger.publicKey })), undefined)
  assert.equal(testimony({ ...suspicion(observer), signature: new Uint8Array(64) }), undefined)
})

test('one sender has only so many statements verified, and one observer only so many believed', async () => {
  const signatures = statementSignatures(self)
  let verified = 0
  intake = new StatementIntake({
    network: NETWORK,
    self: self.id,
    signatures: { ...signatures, verify: () => verified++ >= 0 },
    clock,
    placeOf: (id) => ({ family: id, prefix: id }),
  })
  let believed = 0
  for (let at = 0; at < 1_000; at++) believed += read([], [suspicion(observer, { incarnation: BEGIN + at })]).length
  assert.equal(verified, 256)
  assert.equal(believed, 64)
  await clock.advance(1_000)
  for (let at = 0; at < 100; at++) read([], [suspicion(observer, { incarnation: BEGIN + 5_000 + at })])
  assert.equal(verified, 256 + 32)
})
