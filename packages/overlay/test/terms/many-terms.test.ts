import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom, shuffled, silentLogger } from '@weft/core'
import { type SigningKey, sha256 } from '@weft/crypto'
import { type Succession, SuccessionSchema, create, encodeMessage } from '@weft/wire'
import { encodeVote } from '../../src/agreement/vote.ts'
import { toWire } from '../../src/agreement/wire-form.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { toleratedFaults } from '../../src/network/quorum.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { followTerm } from '../../src/terms/follow-term.ts'
import { encodeHandoverValue, handoverSet } from '../../src/terms/handover-value.ts'
import { rotationStart } from '../../src/terms/rotation-times.ts'
import { verifySuccession } from '../../src/terms/succession.ts'
import { Terms } from '../../src/terms/terms.ts'
import { BEGIN, addressOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const SEATS = 64
const TERMS = 20
const fixture = testNetwork(SEATS, 30)
const { file } = fixture.network

/** The next term of a network whose seats rotate. */
function rotated(network: Network, keys: ReadonlyMap<string, SigningKey>, turn: number): Succession {
  const { term } = network
  const random = seededRandom(turn)
  const faults = toleratedFaults(SEATS)
  const places = term.validators.map((_, place) => place)
  const leaving = shuffled(random, places)
    .slice(0, faults)
    .toSorted((a, b) => a - b)
  const candidates = fixture.keys.filter(({ id }) => !term.isValidator(id))
  const entering = shuffled(random, candidates)
    .slice(0, faults)
    .map(({ id }, at) => ({ id, addresses: [addressOf(at)], family: `family-${at}` }))
  const anchorEpoch = rotationStart(file, turn)
  const value = encodeHandoverValue({ rotates: true, fromEpoch: anchorEpoch + 3, anchorEpoch, leaving, entering })
  const set = handoverSet(network, term)
  const vote = {
    network: set.networkId,
    epoch: term.number,
    round: 0,
    phase: 'precommit' as const,
    value: sha256(value),
  }
  const payload = encodeVote(vote)
  const signatures = new Map(
    places
      .slice(0, set.quorum)
      .map((place) => [
        place,
        (keys.get(term.validators[place]?.id ?? '') as SigningKey).sign('agreement-vote', payload),
      ]),
  )
  const { body } = toWire(set, { kind: 'certificate', certificate: { quorum: { vote, payload, signatures }, value } })
  return create(SuccessionSchema, { number: turn, ...(body.case === 'certificate' ? { decision: body.value } : {}) })
}

test('a newcomer follows the terms of many rotations, and knows them again after a restart', async (t) => {
  const network = networkOf(file)
  const keys = new Map(fixture.keys.map((key) => [key.id as string, key]))
  const successions: Succession[] = []
  for (let turn = 1; turn <= TERMS; turn++) {
    const succession = rotated(network, keys, turn)
    network.begin(verifySuccession(network, succession))
    successions.push(succession)
  }
  const memory = new MemoryNetwork(new VirtualClock(BEGIN))
  const [self, source] = fixture.keys as [SigningKey, SigningKey]
  memory.add(source.id).rpc.handle('term.get', async ({ number }) => {
    const succession = successions[number - 1]
    return succession === undefined ? {} : { succession }
  })
  const { rpc } = memory.add(self.id)
  const store = new MemoryMembershipStore()
  const known = networkOf(file)
  const terms = new Terms({ network: known, store, heldEpoch: () => undefined, logger: silentLogger })
  const before = process.cpuUsage()
  await followTerm({ network: known, terms, rpc }, source.id, TERMS, new AbortController().signal)
  const spent = process.cpuUsage(before)
  assert.deepEqual([known.term.number, known.term.validators], [TERMS, network.term.validators])
  const bytes =
    successions.reduce((sum, succession) => sum + encodeMessage(SuccessionSchema, succession).length, 0) / TERMS
  t.diagnostic(
    `a rotation of ${SEATS} seats is told in ${bytes.toFixed(0)} bytes and taken in ${((spent.user + spent.system) / 1_000 / TERMS).toFixed(1)} ms of the processor`,
  )
  const again = networkOf(file)
  assert.equal(
    new Terms({ network: again, store, heldEpoch: () => undefined, logger: silentLogger }).succession(TERMS)?.number,
    TERMS,
  )
  assert.equal(again.term.number, TERMS)
})
