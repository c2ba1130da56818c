import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { ObjectStatus, StoredObject } from '../../src/storage.ts'
import { StorageNetwork, advanceUntil } from '../support/storage-network.ts'
import { chunksOf, readAll } from '../support/test-storage.ts'

const HOUR = 3_600_000
const TEN_MINUTES = 600_000
const bytes = seededRandom(5).bytes(300_000)

/** Sixteen holders, nine of them with an object of class tiny (3 of 9): who has it, in order of the map. */
async function world(data = bytes): Promise<{ network: StorageNetwork; stored: StoredObject; holders: number[] }> {
  const network = await StorageNetwork.start(16)
  const stored = await network.client.put(chunksOf(data, 65_536), { ttlMs: 30 * 24 * HOUR, class: 'tiny' })
  const { segments } = await network.client.stat(stored.ref)
  return { network, stored, holders: (segments[0]?.shards ?? []).map(({ node }) => network.at(node)) }
}

const reads = async (network: StorageNetwork, { ref }: StoredObject, data = bytes): Promise<boolean> =>
  Buffer.compare(await readAll((await network.client.get(ref)).body), data) === 0

const health = async (network: StorageNetwork, { ref }: StoredObject): Promise<ObjectStatus['health']> =>
  (await network.client.stat(ref)).health

async function lose(network: StorageNetwork, nodes: readonly number[]): Promise<void> {
  for (const at of nodes) {
    await network.stop(at)
    network.drop(at)
  }
}

test('shards of holders that are gone for good are made again elsewhere: the object outlives all who had it', async () => {
  const { network, stored, holders } = await world()
  await using _ = network
  await lose(network, holders.slice(0, 4))
  assert.equal(await health(network, stored), 'degraded')
  const isHealthy = async (): Promise<boolean> => (await health(network, stored)) === 'healthy'
  assert.ok(await advanceUntil(network, TEN_MINUTES, 40, () => network.client.repaired().restored === 4))
  assert.ok(await isHealthy())
  assert.deepEqual((({ restored, failed }) => ({ restored, failed }))(network.client.repaired()), {
    restored: 4,
    failed: 0,
  })
  // One shard a node still.
  const { segments } = await network.client.stat(stored.ref)
  assert.equal(new Set(segments[0]?.shards.map(({ node }) => node)).size, 9)
  // The rest of those that its owner chose go as well: what is read now was never put by its owner.
  await lose(network, holders.slice(4))
  assert.ok(await reads(network, stored))
})

test('a holder that is away for less than four hours is waited for, one that was ejected is not', async () => {
  const { network, stored, holders } = await world()
  await using _ = network
  await lose(network, holders.slice(0, 3))
  assert.ok(!(await advanceUntil(network, TEN_MINUTES, 23, () => network.client.repaired().restored > 0)))
  for (const at of holders.slice(0, 3)) {
    network.join(at)
    await network.start(at)
  }
  assert.ok(!(await advanceUntil(network, TEN_MINUTES, 12, () => network.client.repaired().restored > 0)))
  assert.equal(await health(network, stored), 'healthy')
  await lose(network, holders.slice(0, 3))
  for (const at of holders.slice(0, 3)) network.revoked.add(network.keys[at]!.id)
  assert.ok(await advanceUntil(network, TEN_MINUTES, 2, () => network.client.repaired().restored === 3))
})

test('with more than half of what may be lost left nothing is sent', async () => {
  const { network, stored, holders } = await world()
  await using _ = network
  await lose(network, holders.slice(0, 2))
  const { sent } = network
  assert.ok(!(await advanceUntil(network, HOUR, 6, () => network.sent > sent)))
  assert.equal(await health(network, stored), 'degraded')
})

test('what a holder lost or damaged while it was there is made again by the look of the week, at the same holder', async () => {
  const large = seededRandom(6).bytes(1_200_000)
  const { network, stored, holders } = await world(large)
  await using _ = network
  const [empty, damaged] = holders as [number, number]
  await network.empty(empty)
  await network.damage(damaged)
  assert.equal(network.storage(damaged).held().damaged, 1)
  const isRestored = (): boolean => network.client.repaired().restored > 0
  network.clock.jump(6 * 24 * HOUR)
  assert.ok(!(await advanceUntil(network, TEN_MINUTES, 3, isRestored)))
  network.clock.jump(24 * HOUR)
  assert.ok(await advanceUntil(network, TEN_MINUTES, 1, isRestored))
  assert.deepEqual((({ restored, failed }) => [restored, failed])(network.client.repaired()), [2, 0])
  const { segments, health: now } = await network.client.stat(stored.ref)
  assert.equal(now, 'healthy')
  assert.deepEqual(
    (segments[0]?.shards ?? []).map(({ node }) => network.at(node)),
    holders,
  )
  assert.equal(network.storage(damaged).held().damaged, 0)
  assert.ok(await reads(network, stored, large))
  // Then it is left alone for a week again, also after a restart.
  const client = network.keys.length - 1
  await network.stop(client)
  await network.start(client)
  await network.empty(empty)
  network.clock.jump(6 * 24 * HOUR)
  assert.ok(!(await advanceUntil(network, TEN_MINUTES, 2, isRestored)))
  // A clock that was set back does not put it off for ever.
  network.clock.jump(-20 * 24 * HOUR)
  assert.ok(await advanceUntil(network, TEN_MINUTES, 1, isRestored))
})
