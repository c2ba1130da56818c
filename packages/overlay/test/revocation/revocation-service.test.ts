import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scope, VirtualClock, silentLogger, systemRandom } from '@weft/core'
import { RevocationSchema, encodeMessage } from '@weft/wire'
import { type RevocationBody, encodeRevocationBody } from '../../src/revocation/revocation-body.ts'
import { RevocationService } from '../../src/revocation/revocation-service.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import type { TopicMessage, Verdict } from '../../src/transport/pub-sub.ts'
import { BEGIN, EPOCH, temporaryDirectory, testNetwork, wireRevocation } from '../fixtures.ts'

const DAY = 86_400_000

test('of revocations only news is passed on: not what is known, is over, or was taken back since', async () => {
  using directory = temporaryDirectory()
  const { network, keys } = testNetwork(4, 2)
  const [ejected, other, member] = [keys[4], keys[5], keys[0]]
  assert.ok(ejected !== undefined && other !== undefined && member !== undefined)
  const clock = new VirtualClock(BEGIN + 10 * EPOCH)
  using database = new MembershipDatabase(directory.path)
  const revocations = new Revocations({ network, database, clock, logger: silentLogger })
  await using scope = new Scope({ name: 'test', clock })
  let validate: ((message: TopicMessage) => Verdict | Promise<Verdict>) | undefined
  let handle: ((message: TopicMessage) => void) | undefined
  const service = new RevocationService({
    network,
    // No validator.
    key: other,
    transport: {
      call: () => Promise.reject(new Error('nobody is there')),
      handle: () => () => {},
      connected: () => [],
      pubsub: {
        publish: async () => {},
        subscribe: (_, judge, take) => {
          validate = judge
          handle = take
          return () => {}
        },
      },
    },
    revocations,
    database,
    isBehind: () => false,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  service.start(scope)
  const body = (changes: Partial<RevocationBody>): Omit<RevocationBody, 'id'> => ({
    network: network.id,
    key: ejected.publicKey,
    issuedUpTo: 10,
    blockedUntil: BEGIN + 7 * DAY,
    reason: 'abuse',
    decidedAt: BEGIN + 10 * EPOCH,
    ...changes,
  })
  // As gossip does it: what is accepted is handed on and handled. Each is a message of its own, whoever sends it again.
  const gossip = async (changes: Partial<RevocationBody>, voters = keys.slice(0, 3)): Promise<Verdict | undefined> => {
    const data = encodeMessage(RevocationSchema, wireRevocation(encodeRevocationBody(body(changes)), voters))
    const message = { from: member.id, data }
    const verdict = await validate?.(message)
    if (verdict === 'accept') handle?.(message)
    return verdict
  }
  const back = { issuedUpTo: -1, blockedUntil: 0, reason: 'withdrawn', decidedAt: BEGIN + 10 * EPOCH + 1 } as const

  assert.equal(await gossip({}, keys.slice(0, 2)), 'reject', 'no quorum')
  assert.equal(await gossip({}), 'accept')
  assert.equal(await gossip({}), 'ignore', 'the same')
  assert.equal(await gossip(back), 'accept')
  assert.equal(await gossip({}), 'ignore', 'taken back since')
  assert.equal(revocations.of(ejected.id)?.body.reason, 'withdrawn')
  const short = { key: other.publicKey, blockedUntil: BEGIN + DAY }
  assert.equal(await gossip(short), 'accept')
  await clock.advance(8 * DAY)
  assert.equal(revocations.of(other.id), undefined)
  assert.equal(await gossip(short), 'ignore', 'over')
})
