import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom, silentLogger } from '@weft/core'
import { type DidKey, type SigningKey, toDidKey } from '@weft/crypto'
import { AbsenceReporter, MAX_REPORTED } from '../../src/absence/absence-reporter.ts'
import type { Rpc } from '../../src/rpc.ts'
import { BEGIN, advance, testKeys, testNetwork } from '../fixtures.ts'

const fixture = testNetwork(4, 2)
const [validator, , , , node, lost] = fixture.keys as SigningKey[] as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
]

function reporterOf(self: SigningKey, isMember: (id: DidKey) => boolean = () => true) {
  const clock = new VirtualClock(BEGIN)
  const told: { to: DidKey; members: DidKey[] }[] = []
  const call = async (to: DidKey, _method: string, { members }: { members: Uint8Array[] }) => {
    told.push({ to, members: members.map(toDidKey) })
    return {}
  }
  const reporter = new AbsenceReporter({
    network: fixture.network,
    self: self.id,
    membership: { isMember },
    rpc: { call } as unknown as Pick<Rpc, 'call'>,
    clock,
    random: seededRandom(7),
    logger: silentLogger,
  })
  return { clock, told, reporter }
}

test('every validator is told once, of all that were lost meanwhile', async () => {
  const { clock, told, reporter } = reporterOf(node)
  const { signal } = new AbortController()
  reporter.lost(lost.id, signal)
  reporter.lost(validator.id, signal)
  reporter.lost(lost.id, signal)
  await advance(clock, 3_000)
  assert.deepEqual(
    told.map(({ to }) => to),
    fixture.keys.slice(1, 4).map(({ id }) => id),
    'but not who is lost itself',
  )
  for (const { members } of told) assert.deepEqual(new Set(members), new Set([lost.id, validator.id]))
  await advance(clock, 10_000)
  assert.equal(told.length, 3)
})

test('who is back at once is not reported, nor is anybody by a node that is no member', async () => {
  const { signal } = new AbortController()
  const back = reporterOf(node)
  back.reporter.lost(lost.id, signal)
  back.reporter.found(lost.id)
  await advance(back.clock, 3_000)
  assert.deepEqual(back.told, [])
  const stranger = reporterOf(node, (id) => id !== node.id)
  stranger.reporter.lost(lost.id, signal)
  await advance(stranger.clock, 3_000)
  assert.deepEqual(stranger.told, [])
})

test('a report names no more than a validator takes, and the next one the others', async () => {
  const { clock, told, reporter } = reporterOf(node)
  const { signal } = new AbortController()
  const all = testKeys(MAX_REPORTED + 6).map(({ id }) => id)
  for (const id of all) reporter.lost(id, signal)
  await advance(clock, 3_000)
  await advance(clock, 3_000)
  const sizes = new Set(told.map(({ members }) => members.length))
  assert.deepEqual(sizes, new Set([MAX_REPORTED, 6]))
  assert.deepEqual(new Set(told.flatMap(({ members }) => members)), new Set(all))
})
