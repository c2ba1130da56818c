import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import fc from 'fast-check'
import { SigningKey } from '@weft/crypto'
import type { Revocation } from '@weft/wire'
import { epochAt } from '../../src/network/epoch.ts'
import { encodeRevocationBody } from '../../src/revocation/revocation-body.ts'
import { RevocationDesk, type Verdict } from '../../src/revocation/revocation-desk.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { BEGIN, codeOf, temporaryDirectory, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const DAY = 86_400_000
const SECOND = 1_000
const { signal } = new AbortController()

/** What was counted of a vote. */
const counted = ({ votes, decided }: { votes: number; decided: boolean }) => ({ votes, decided })

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
    // As gossip does it: everybody who runs learns of it.
    const tell = async (revocation: Revocation): Promise<void> => {
      told.push(revocation)
      for (const one of desks) if (!one.away) one.revocations.offer(revocation)
    }
    const init = { network, key, rpc: node.rpc, clock, logger: silentLogger, revocations, database, tell }
    const one = { desk: new RevocationDesk(init), revocations, told, node, database, away: false, restart }
    function restart(): void {
      one.desk = new RevocationDesk(init)
    }
    node.rpc.handle('revocation.vote', async ({ body, vote }) => {
      assert.ok(vote !== undefined && !one.away)
      return { votes: (await one.desk.take(body, vote)).votes }
    })
    return one
  })
  const [target, other] = keys.slice(4) as [SigningKey, SigningKey]
  const back = (key = target): Verdict => ({
    id: key.id,
    key: key.publicKey,
    issuedUpTo: -1,
    blockedUntil: 0,
    reason: 'withdrawn',
  })
  const verdict = (key = target, reason: Verdict['reason'] = 'abuse'): Verdict => ({
    id: key.id,
    key: key.publicKey,
    issuedUpTo: epochAt(network.file, clock.now()),
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
    back,
    [Symbol.dispose]: () => databases.forEach((one) => one[Symbol.dispose]()),
  }
}

test('a node is ejected when a quorum of operators says so, and not before', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, clock } = all
  assert.deepEqual(counted(await desks[0]!.desk.vote(verdict(), signal)), { votes: 1, decided: false })
  await clock.advance(60_000)
  assert.deepEqual(counted(await desks[1]!.desk.vote(verdict(), signal)), { votes: 2, decided: false })
  for (const { revocations, desk } of desks) {
    assert.equal(revocations.of(target.id), undefined)
    assert.equal(desk.pending()[0]?.voters.length, 2, 'one decision, though their times differ')
  }
  assert.deepEqual(counted(await desks[2]!.desk.vote(verdict(), signal)), { votes: 3, decided: true })
  for (const { revocations, desk } of desks) {
    assert.equal(revocations.voids({ id: target.id, issuedEpoch: 0 }), true)
    assert.deepEqual(desk.pending(), [])
  }
  assert.ok(desks.some(({ told }) => told.length > 0))
  // The fourth comes too late to open it again.
  assert.deepEqual(counted(await desks[3]!.desk.vote(verdict(), signal)), { votes: 3, decided: true })
  assert.deepEqual(desks[3]?.desk.pending(), [])
  assert.equal(desks[0]?.revocations.all().length, 1)
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

test('nor can two of them, of which one takes back what the other joined', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, keys, network, verdict, back, other, clock } = all
  const say = (key: SigningKey | undefined, verdictOf: Verdict, decidedAt: number): Promise<string> => {
    const body = encodeRevocationBody({ ...verdictOf, network: network.id, decidedAt })
    const vote = {
      signer: key?.publicKey ?? new Uint8Array(),
      signature: key?.sign('revoke', body) ?? new Uint8Array(),
    }
    return codeOf(() => desks[0]?.desk.take(body, vote))
  }
  const flood = async (from: number, to: number): Promise<number | undefined> => {
    for (let at = from; at < to; at++) {
      const decidedAt = clock.now() + 2 * at
      await say(keys[1], verdict(), decidedAt)
      await say(keys[2], verdict(), decidedAt)
      await say(keys[1], back(), decidedAt + 1)
    }
    return desks[0]?.desk.pending().length
  }
  const many = await flood(0, 70)
  assert.equal(await flood(70, 140), many)
  assert.ok((many ?? 0) <= 2 * 2 * 32, `${many} wait`)
  desks[0]?.restart()
  assert.equal(desks[0]?.desk.pending().length, many, 'a restart counts nothing against whoever joined')
  assert.equal(await flood(140, 210), many, 'who opened what waits is known after a restart')
  assert.equal((await desks[0]?.desk.vote(verdict(other), signal))?.votes, 1, 'others still may')
})

test('who opened as many ejections as it may can still take each of them back', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, verdict, back, clock } = all
  const desk = desks[0]?.desk
  const nodes = Array.from({ length: 32 }, () => SigningKey.generate())
  for (const node of nodes) await desk?.vote(verdict(node), signal)
  assert.equal(await codeOf(() => desk?.vote(verdict(), signal)), 'E_REVOCATION_LIMIT')
  await clock.advance(SECOND)
  for (const node of nodes) assert.equal((await desk?.vote(back(node), signal))?.tookBack, true)
  assert.equal((await desk?.vote(verdict(), signal))?.votes, 1)
})

test('votes for other nodes are other decisions; reasons are not, and the first one is named', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, other, target, verdict } = all
  await desks[0]?.desk.vote(verdict(), signal)
  await desks[2]?.desk.vote(verdict(other), signal)
  assert.deepEqual(
    desks[0]?.desk.pending().map(({ voters }) => voters.length),
    [1, 1],
  )
  const joined = await desks[1]?.desk.vote(verdict(undefined, 'conformance'), signal)
  assert.deepEqual([joined?.votes, joined?.body.reason], [2, 'abuse'])
  assert.equal((await desks[3]?.desk.vote(verdict(undefined, 'compromised'), signal))?.decided, true)
  assert.equal(desks[0]?.revocations.of(target.id)?.body.reason, 'abuse')
})

test('nobody takes back what is not: and a way back that was asked for before is no hindrance', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, back, clock, keys, network } = all
  assert.equal(await codeOf(() => desks[0]?.desk.vote(back(), signal)), 'E_REVOCATION_NONE')
  assert.deepEqual(desks[1]?.desk.pending(), [])
  // Of an older node, which votes for it all the same.
  const early = encodeRevocationBody({ ...back(), network: network.id, decidedAt: clock.now() })
  const vote = { signer: keys[0]!.publicKey, signature: keys[0]!.sign('revoke', early) }
  for (const { desk } of desks.slice(1)) await desk.take(early, vote)
  await clock.advance(SECOND)
  for (const at of [1, 2, 3]) await desks[at]?.desk.vote(verdict(), signal)
  assert.equal(desks[0]?.revocations.voids({ id: target.id, issuedEpoch: 0 }), true)
  for (const { desk } of desks) assert.deepEqual(desk.pending(), [], 'older than what was decided since')
  await clock.advance(SECOND)
  await desks[0]?.desk.vote(back(), signal)
  await desks[3]?.desk.vote(back(), signal)
  assert.equal((await desks[1]?.desk.vote(back(), signal))?.decided, true)
  for (const { revocations } of desks) assert.equal(revocations.of(target.id)?.body.reason, 'withdrawn')
  assert.equal((await desks[2]?.desk.vote(back(), signal))?.decided, true, 'it is decided already')
})

test('who takes its vote back is not counted any more, and may vote again', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, back, clock } = all
  await desks[0]?.desk.vote(verdict(), signal)
  await clock.advance(SECOND)
  const taken = await desks[0]?.desk.vote(back(), signal)
  assert.deepEqual([taken?.votes, taken?.decided, taken?.tookBack], [1, false, true])
  await clock.advance(SECOND)
  assert.equal((await desks[1]?.desk.vote(verdict(), signal))?.votes, 1)
  assert.deepEqual(counted(await desks[3]!.desk.vote(verdict(), signal)), { votes: 2, decided: false })
  assert.equal(desks[2]?.revocations.of(target.id), undefined)
  await clock.advance(SECOND)
  assert.equal((await desks[0]?.desk.vote(verdict(), signal))?.decided, true, 'the three want it now')
})

test('who has not voted has nothing to take back, whatever others wait for', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, verdict, back } = all
  await desks[0]?.desk.vote(verdict(), signal)
  assert.equal(await codeOf(() => desks[1]?.desk.vote(back(), signal)), 'E_REVOCATION_NONE')
})

test('a vote that was taken back does not count again when another validator repeats it', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, verdict, back, clock, keys, network } = all
  const body = encodeRevocationBody({ ...verdict(), network: network.id, decidedAt: clock.now() })
  const vote = { signer: keys[0]!.publicKey, signature: keys[0]!.sign('revoke', body) }
  await desks[0]?.desk.vote(verdict(), signal)
  await clock.advance(SECOND)
  await desks[0]?.desk.vote(back(), signal)
  for (const { desk } of desks) {
    await desk.take(body, vote)
    assert.deepEqual(
      desk.pending().map(({ body: { reason } }) => reason),
      ['withdrawn'],
    )
  }
})

test('what is decided at the moment of an earlier decision, or by a clock behind it, still comes after it', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, back } = all
  for (const ejects of [true, false, true, false]) {
    for (const at of [0, 1, 2]) await desks[at]?.desk.vote(ejects ? verdict() : back(), signal)
    for (const { revocations } of desks) assert.equal(revocations.voids({ id: target.id, issuedEpoch: 0 }), ejects)
  }
})

test('who takes back the way back while the node is out leaves it out', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, keys, network, verdict, back, clock } = all
  for (const at of [0, 1, 2]) await desks[at]?.desk.vote(verdict(), signal)
  await clock.advance(SECOND)
  await desks[0]?.desk.vote(back(), signal)
  const body = encodeRevocationBody({ ...back(), network: network.id, decidedAt: clock.now() })
  await clock.advance(SECOND)
  const again = await desks[0]?.desk.vote(verdict(), signal)
  assert.deepEqual([again?.decided, again?.tookBack], [true, true])
  for (const { desk } of desks) assert.deepEqual(desk.pending(), [])
  await desks[0]?.desk.take(body, { signer: keys[0]!.publicKey, signature: keys[0]!.sign('revoke', body) })
  assert.deepEqual(desks[0]?.desk.pending(), [], 'nobody tells it what it said itself')
})

test('two that decide at the same moment decide one thing, without being asked again', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict } = all
  const verdicts = [verdict(), { ...verdict(), blockedUntil: verdict().blockedUntil + SECOND }]
  await Promise.all(verdicts.map((one, at) => desks[at]!.desk.vote(one, signal)))
  await desks[2]?.desk.vote(verdict(), signal)
  for (const { revocations, desk } of desks) {
    assert.ok(revocations.of(target.id) !== undefined)
    assert.deepEqual(desk.pending(), [])
  }
})

test('nobody has its vote turned into less than was asked for', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, clock, keys, network } = all
  // A hostile validator opens decisions that eject nobody for any time, and one of next week, which nobody could take back.
  const hollow = [
    { ...verdict(), blockedUntil: 0 },
    { ...verdict(), issuedUpTo: -1 },
    { ...verdict(), decidedAt: clock.now() + 6 * DAY, blockedUntil: clock.now() + 8 * DAY },
  ]
  for (const fields of hollow) {
    const body = encodeRevocationBody({ network: network.id, decidedAt: clock.now(), ...fields })
    const vote = { signer: keys[3]!.publicKey, signature: keys[3]!.sign('revoke', body) }
    for (const { desk } of desks) await desk.take(body, vote)
  }
  const wanted = { ...verdict(), blockedUntil: clock.now() + 5 * DAY }
  const longer = { ...wanted, blockedUntil: clock.now() + 50 * DAY }
  await desks[0]?.desk.vote(wanted, signal)
  const second = await desks[1]?.desk.vote(longer, signal)
  assert.deepEqual([second?.votes, second?.apart], [1, 2], 'it is told of those who want it otherwise')
  await desks[1]?.desk.vote(wanted, signal)
  assert.equal((await desks[2]?.desk.vote(wanted, signal))?.decided, true)
  assert.equal(desks[3]?.revocations.of(target.id)?.body.blockedUntil, wanted.blockedUntil)
})

test('the votes of operators who come days later add up, while there is time enough left', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, verdict, clock } = all
  const month = () => ({ ...verdict(), blockedUntil: clock.now() + 30 * DAY })
  await desks[0]?.desk.vote(month(), signal)
  await desks[3]?.desk.vote(verdict(all.other), signal)
  await clock.advance(6 * DAY)
  assert.equal((await desks[1]?.desk.vote(month(), signal))?.votes, 2)
  const tooLate = await desks[1]?.desk.vote(verdict(all.other), signal)
  assert.deepEqual([tooLate?.votes, tooLate?.apart], [1, 1], 'what was asked for then is over')
})

test('an ejection that is over does not stand for another one', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, verdict, clock } = all
  const hour = (issuedUpTo: number) => ({ ...verdict(), issuedUpTo, blockedUntil: clock.now() + 3_600_000 })
  for (const at of [0, 1, 2]) await desks[at]?.desk.vote(hour(0), signal)
  await clock.advance(2 * 3_600_000)
  const epoch = epochAt(all.network.file, clock.now())
  assert.deepEqual(counted(await desks[0]!.desk.vote(hour(epoch), signal)), { votes: 1, decided: false })
})

test('votes outlive a restart, for as long as they may', async () => {
  using directory = temporaryDirectory()
  using all = validators(directory.path)
  const { desks, target, verdict, back, clock } = all
  await desks[0]?.desk.vote(verdict(), signal)
  await clock.advance(SECOND)
  await desks[1]?.desk.vote(verdict(), signal)
  const before = desks.map(({ desk }) => desk.pending())
  for (const one of desks) one.restart()
  assert.deepEqual(
    desks.map(({ desk }) => desk.pending()),
    before,
  )
  await clock.advance(SECOND)
  assert.equal((await desks[0]?.desk.vote(back(), signal))?.tookBack, true)
  for (const one of desks) one.restart()
  await desks[2]?.desk.vote(verdict(), signal)
  assert.equal(desks[3]?.revocations.of(target.id), undefined, 'what was taken back stays so')
  await desks[3]?.desk.vote(verdict(), signal)
  assert.equal(desks[0]?.revocations.of(target.id)?.votes.length, 3)
  for (const one of desks) {
    one.restart()
    const words = one.desk.pending().map(({ body: { reason }, voters }) => [reason, voters.length])
    assert.deepEqual(words, [['withdrawn', 1]], 'the first still wants it back')
    assert.equal(one.database.revocationVotes().length, 1)
  }
  await clock.advance(7 * DAY + 1)
  for (const one of desks) {
    one.restart()
    assert.deepEqual([one.desk.pending(), one.database.revocationVotes()], [[], []])
  }
})

test('whoever is in whatever order asked, taken away and restarted: a quorum that asks last gets what it asks for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          at: fc.nat(3),
          what: fc.constantFrom('eject', 'back', 'restart', 'leave', 'return'),
          ms: fc.constantFrom(0, 1, 60_000),
        }),
        { maxLength: 14 },
      ),
      fc.boolean(),
      async (steps, ejects) => {
        using directory = temporaryDirectory()
        using all = validators(directory.path)
        const { desks, target, verdict, back, clock } = all
        for (const { at, what, ms } of steps) {
          const one = desks[at]!
          if (what === 'restart') one.restart()
          else if (what === 'leave' || what === 'return') one.away = what === 'leave'
          else if (!one.away) await codeOf(() => one.desk.vote(what === 'eject' ? verdict() : back(), signal))
          await clock.advance(ms)
        }
        // All are there again and have what was decided.
        const decided = desks.flatMap(({ revocations }) => revocations.of(target.id) ?? [])
        for (const one of desks) {
          one.away = false
          for (const { bodyBytes: body, votes } of decided)
            one.revocations.offer({ body, votes: votes.map((vote) => ({ $typeName: 'weft.v1.Signature', ...vote })) })
        }
        await clock.advance(SECOND)
        for (const { desk } of desks.slice(0, 3)) await codeOf(() => desk.vote(ejects ? verdict() : back(), signal))
        for (const { revocations } of desks) assert.equal(revocations.voids({ id: target.id, issuedEpoch: 0 }), ejects)
      },
    ),
    { numRuns: 60 },
  )
})
