import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import type { Revocation } from '@weft/wire'
import { encodeRevocationBody } from '../../src/revocation/revocation-body.ts'
import { RevocationDesk, type Verdict } from '../../src/revocation/revocation-desk.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { BEGIN, codeOf, temporaryDirectory, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const DAY = 86_400_000
const { signal } = new AbortController()

/** Four validators, each with its desk. */
function validators(directory: string) {
  const fixture = testNetwork(4, 2)
  const { network, keys } = fixture
  const clock = new VirtualClock(BEGIN)
  const wire = new MemoryNetwork(clock)
  const databases: MembershipDatabase[] = []
  const desks = keys.slice(0, 4).map((key, index) => {
    const node = wire.add(key.id)
    const database = new MembershipDatabase(`${directory}/${index}`)
    databases.push(database)
    const revocations = new Revocations({ network, database, clock, logger: silentLogger })
    const told: Revocation[] = []
    const tell = async (revocation: Revocation): Promise<void> => void told.push(revocation)
    const desk = new RevocationDesk({ network, key, rpc: node.rpc, clock, logger: silentLogger, revocations, tell })
    node.rpc.handle('revocation.vote', async ({ body, vote }) => {
      assert.ok(vote !== undefined)
      return { votes: (await desk.take(body, vote)).votes }
    })
    return { desk, revocations, told, node }
  })
  const [target, other] = keys.slice(4) as [SigningKey, SigningKey]
  const verdict = (key = target, reason: Verdict['reason'] = 'abuse'): Verdict => ({
    id: key.id,
    key: key.publicKey,
    issuedUpTo: 0,
    blockedUntil: clock.now() + DAY,
    reason,
  })
  return {
    network,
    keys,
    clock,
    desks,
    target,
    other,
    verdict,
    [Symbol.dispose]: () => databases.forEach((one) => one[Symbol.dispose]()),
  }
}

test('a node is ejected when a quorum of operators says so, and not before', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, clock } = all
  assert.deepEqual(await desks[0]?.desk.vote(verdict(), signal), { votes: 1, decided: false })
  await clock.advance(60_000)
  assert.deepEqual(await desks[1]?.desk.vote(verdict(), signal), { votes: 2, decided: false })
  for (const { revocations, desk } of desks) {
    assert.equal(revocations.of(target.id), undefined)
    assert.equal(desk.pending()[0]?.voters.length, 2, 'one decision, though their times differ')
  }
  assert.deepEqual(await desks[2]?.desk.vote(verdict(), signal), { votes: 3, decided: true })
  for (const { revocations, desk } of desks) {
    assert.equal(revocations.voids({ id: target.id, issuedEpoch: 0 }), true)
    assert.deepEqual(desk.pending(), [])
  }
  assert.ok(desks.some(({ told }) => told.length > 0))
  // The fourth comes too late to open it again.
  assert.deepEqual(await desks[3]?.desk.vote(verdict(), signal), { votes: 3, decided: true })
  assert.deepEqual(desks[3]?.desk.pending(), [])
  assert.equal(desks[0]?.revocations.all().length, 1)
})

test('votes for other reasons, other nodes and the way back are other decisions', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, other, verdict } = all
  await desks[0]?.desk.vote(verdict(), signal)
  await desks[1]?.desk.vote(verdict(undefined, 'compromised'), signal)
  await desks[2]?.desk.vote(verdict(other), signal)
  await desks[3]?.desk.vote({ ...verdict(), issuedUpTo: -1 }, signal)
  assert.deepEqual(
    desks[0]?.desk.pending().map(({ voters }) => voters.length),
    [1, 1, 1, 1],
  )
})

test('a vote that is no valid signature of a validator, or of long ago, does not count', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, keys, network, verdict, clock, target } = all
  const body = encodeRevocationBody({ ...verdict(), network: network.id, decidedAt: clock.now() })
  const old = encodeRevocationBody({ ...verdict(), network: network.id, decidedAt: clock.now() - 8 * DAY })
  const desk = desks[0]?.desk
  const voteOf = (key: SigningKey | undefined, bytes: Uint8Array, purpose: 'revoke' | 'vote' = 'revoke') => ({
    signer: key?.publicKey ?? new Uint8Array(32),
    signature: key?.sign(purpose, bytes) ?? new Uint8Array(64),
  })
  assert.equal(await codeOf(() => desk?.take(body, voteOf(target, body))), 'E_SIGNATURE_INVALID')
  assert.equal(await codeOf(() => desk?.take(body, voteOf(keys[1], old))), 'E_SIGNATURE_INVALID')
  assert.equal(await codeOf(() => desk?.take(body, voteOf(keys[1], body, 'vote'))), 'E_SIGNATURE_INVALID')
  assert.equal(await codeOf(() => desk?.take(old, voteOf(keys[1], old))), 'E_REVOCATION_MALFORMED')
  assert.deepEqual(desk?.pending(), [])
  await desk?.take(body, voteOf(keys[1], body))
  await desk?.take(body, voteOf(keys[1], body))
  assert.equal(desk?.pending()[0]?.voters.length, 1, 'one voice a validator')
})

test('a hostile validator cannot have the others remember without end, and what got no quorum is forgotten', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, keys, network, verdict, clock } = all
  const desk = desks[0]?.desk
  const flood = async (count: number): Promise<string[]> => {
    const codes: string[] = []
    for (let at = 0; at < count; at++) {
      const body = encodeRevocationBody({
        ...verdict(),
        blockedUntil: at,
        network: network.id,
        decidedAt: clock.now(),
      })
      const vote = {
        signer: keys[1]?.publicKey ?? new Uint8Array(),
        signature: keys[1]?.sign('revoke', body) ?? new Uint8Array(),
      }
      codes.push(await codeOf(() => desk?.take(body, vote)))
    }
    return codes
  }
  const codes = await flood(40)
  assert.deepEqual([codes[31], codes[32]], ['nothing', 'E_REVOCATION_LIMIT'])
  assert.equal(desk?.pending().length, 32)
  await desks[2]?.desk.vote(verdict(), signal)
  assert.equal(desk?.pending().length, 33, 'others still may')
  await clock.advance(7 * DAY + 1)
  assert.deepEqual(desk?.pending(), [])
})
