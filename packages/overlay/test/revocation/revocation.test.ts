import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock, isWeftError, silentLogger } from '@weft/core'
import fc from 'fast-check'
import {
  REVOCATION_REASONS,
  type RevocationBody,
  type RevocationReason,
  decodeRevocationBody,
  encodeRevocationBody,
} from '../../src/revocation/revocation-body.ts'
import { toWireRevocation } from '../../src/revocation/revocation.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { BEGIN, EPOCH, codeOf, revocationOf, temporaryDirectory, testNetwork, wireRevocation } from '../fixtures.ts'

const DAY = 86_400_000
const fixture = testNetwork(4, 2)
const { network, keys } = fixture
const [ejected, other] = keys.slice(4) as [(typeof keys)[number], (typeof keys)[number]]

function bodyOf(changes: Partial<RevocationBody> = {}): Omit<RevocationBody, 'id'> {
  return {
    network: network.id,
    key: ejected.publicKey,
    issuedUpTo: 10,
    blockedUntil: BEGIN + 7 * DAY,
    reason: 'abuse',
    decidedAt: BEGIN + 10 * EPOCH,
    ...changes,
  }
}

describe('the body of a revocation', () => {
  test('reads back as it was written, and other bytes are refused without any other error', () => {
    const reasons = Object.keys(REVOCATION_REASONS) as RevocationReason[]
    fc.assert(
      fc.property(
        fc.record({
          key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
          issuedUpTo: fc.integer({ min: -1, max: 2 ** 40 }),
          blockedUntil: fc.nat({ max: 8.64e15 }),
          decidedAt: fc.nat({ max: 8.64e15 }),
          reason: fc.constantFrom(...reasons),
        }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (fields, at, change) => {
          const body = { network: network.id, ...fields }
          const bytes = encodeRevocationBody(body)
          const { id: _, ...read } = decodeRevocationBody(bytes)
          assert.deepEqual(read, body)
          const changed = Uint8Array.from(bytes)
          changed[at % bytes.length]! ^= change
          for (const hostile of [changed, bytes.subarray(0, at % bytes.length), new Uint8Array([...bytes, 0])]) {
            try {
              assert.notDeepEqual(decodeRevocationBody(hostile), { ...body, id: decodeRevocationBody(bytes).id })
            } catch (error) {
              assert.ok(isWeftError(error, 'E_REVOCATION_MALFORMED'), String(error))
            }
          }
        },
      ),
    )
  })
})

interface Opened extends Disposable {
  readonly clock: VirtualClock
  readonly revocations: Revocations
}

function open(directory: string, at = BEGIN + 10 * EPOCH): Opened {
  const database = new MembershipDatabase(directory)
  const clock = new VirtualClock(at)
  const revocations = new Revocations({ network, database, clock, logger: silentLogger })
  return { clock, revocations, [Symbol.dispose]: () => database[Symbol.dispose]() }
}

describe('revocations in force', () => {
  test('void the certificates of their key up to their epoch, and no others', () => {
    using directory = temporaryDirectory()
    using opened = open(directory.path)
    const { revocations } = opened
    const told: string[] = []
    revocations.onChange((id) => told.push(id))
    assert.equal(revocations.offer(toWireRevocation(revocationOf(fixture, bodyOf()))), true)
    assert.deepEqual(told, [ejected.id])
    assert.equal(revocations.voids({ id: ejected.id, issuedEpoch: 10 }), true)
    assert.equal(revocations.voids({ id: ejected.id, issuedEpoch: 11 }), false)
    assert.equal(revocations.voids({ id: other.id, issuedEpoch: 1 }), false)
    assert.equal(revocations.offer(toWireRevocation(revocationOf(fixture, bodyOf()))), false, 'it is no news twice')
    assert.equal(told.length, 1)
  })

  test('are believed only with the votes of a quorum of distinct validators, over these bytes and for this purpose', async () => {
    using directory = temporaryDirectory()
    using opened = open(directory.path)
    const bytes = encodeRevocationBody(bodyOf())
    const few = keys.slice(0, 2)
    const hostile = [
      wireRevocation(bytes, few),
      wireRevocation(bytes, [...few, few[0] as (typeof keys)[number]]),
      wireRevocation(bytes, [...few, ...keys.slice(4)]),
      { ...wireRevocation(bytes, keys.slice(0, 3)), body: encodeRevocationBody(bodyOf({ key: other.publicKey })) },
      {
        body: bytes,
        votes: keys.slice(0, 3).map((key) => ({
          $typeName: 'weft.v1.Signature' as const,
          signer: key.publicKey,
          signature: key.sign('vote', bytes),
        })),
      },
    ]
    for (const message of hostile)
      assert.equal(await codeOf(() => opened.revocations.offer(message)), 'E_REVOCATION_QUORUM')
    const foreign = testNetwork(4, 0)
    const theirs = encodeRevocationBody(bodyOf({ network: foreign.network.id }))
    const message = wireRevocation(theirs, foreign.keys)
    assert.equal(await codeOf(() => opened.revocations.offer(message)), 'E_NETWORK_MISMATCH')
    const forEver = wireRevocation(encodeRevocationBody(bodyOf({ blockedUntil: BEGIN + 500 * DAY })), keys.slice(0, 3))
    assert.equal(await codeOf(() => opened.revocations.offer(forEver)), 'E_REVOCATION_MALFORMED')
    assert.deepEqual(opened.revocations.all(), [])
  })

  test('the later decision about a key counts, in whatever order they come; one takes another back', () => {
    const first = toWireRevocation(revocationOf(fixture, bodyOf()))
    const back = bodyOf({ issuedUpTo: -1, blockedUntil: 0, reason: 'withdrawn', decidedAt: BEGIN + 11 * EPOCH })
    const second = toWireRevocation(revocationOf(fixture, back))
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      using directory = temporaryDirectory()
      using opened = open(directory.path)
      for (const message of order) opened.revocations.offer(message)
      assert.equal(opened.revocations.voids({ id: ejected.id, issuedEpoch: 10 }), false)
      assert.equal(opened.revocations.of(ejected.id)?.body.reason, 'withdrawn')
    }
  })

  test('of two decisions of one moment all nodes choose the same', () => {
    const both = [3, 4].map((days) =>
      toWireRevocation(revocationOf(fixture, bodyOf({ blockedUntil: BEGIN + days * DAY }))),
    )
    const chosen = [both, both.toReversed()].map((order) => {
      using directory = temporaryDirectory()
      using opened = open(directory.path)
      for (const message of order) opened.revocations.offer(message)
      return opened.revocations.of(ejected.id)?.body.blockedUntil
    })
    assert.equal(chosen[0], chosen[1])
  })

  test('outlive a restart, and end when all that they void has ended and the key is free again', async () => {
    using directory = temporaryDirectory()
    {
      using opened = open(directory.path)
      opened.revocations.offer(toWireRevocation(revocationOf(fixture, bodyOf({ blockedUntil: BEGIN + 2 * DAY }))))
      opened.revocations.offer(
        toWireRevocation(revocationOf(fixture, bodyOf({ key: other.publicKey, blockedUntil: 0 }))),
      )
    }
    {
      using again = open(directory.path)
      assert.equal(again.revocations.all().length, 2)
      // Certificates live for a day.
      await again.clock.advance(DAY + network.file.clockToleranceMs)
      assert.deepEqual(
        again.revocations.all().map(({ body }) => body.id),
        [ejected.id],
      )
      again.revocations.prune()
    }
    using later = open(directory.path, BEGIN + 2 * DAY + network.file.clockToleranceMs)
    assert.deepEqual(later.revocations.all(), [])
    assert.equal(later.revocations.of(ejected.id), undefined)
  })
})
