import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { StoredObject } from '../../src/storage.ts'
import { StorageNetwork, advanceUntil } from '../support/storage-network.ts'
import { chunksOf, readAll } from '../support/test-storage.ts'

const TEN_MINUTES = 600_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const bytes = seededRandom(8).bytes(300_000)

async function world(count: number): Promise<{ network: StorageNetwork; stored: StoredObject; holders: number[] }> {
  const network = await StorageNetwork.start(count)
  const stored = await network.client.put(chunksOf(bytes, 65_536), { ttlMs: 2 * HOUR, class: 'tiny' })
  const { segments } = await network.client.stat(stored.ref)
  return { network, stored, holders: (segments[0]?.shards ?? []).map(({ node }) => network.at(node)) }
}

async function lose(network: StorageNetwork, nodes: readonly number[]): Promise<void> {
  for (const at of nodes) {
    await network.stop(at)
    network.drop(at)
  }
}

/** Four of nine holders are ejected, and others have their shards: who. */
async function repaired(): Promise<{
  network: StorageNetwork
  stored: StoredObject
  left: number[]
  standIns: number[]
}> {
  const { network, stored, holders } = await world(13)
  await lose(network, holders.slice(0, 4))
  for (const at of holders.slice(0, 4)) network.revoked.add(network.keys[at]!.id)
  assert.ok(await advanceUntil(network, TEN_MINUTES, 2, () => network.client.repaired().restored === 4))
  const standIns = [...network.nodes.keys()].filter(
    (at) => !holders.includes(at) && network.storage(at).held().shards > 0,
  )
  assert.equal(standIns.length, 4)
  return { network, stored, left: holders.slice(4), standIns }
}

test('a renewal reaches those that stand in: behind the former end they alone give the object', async () => {
  const { network, stored, left, standIns } = await repaired()
  await using _ = network
  const renewal = await network.client.renew(stored.object, 20 * DAY)
  // With five of nine by their owner's choice alone it would not be kept.
  assert.deepEqual([renewal.state, renewal.expiresAt], ['open', renewal.until])
  for (const at of standIns) {
    assert.equal(renewal.holders.find(({ node }) => network.at(node) === at)?.state, 'renewed')
  }
  await network.clock.advance(2 * HOUR)
  await lose(network, left)
  assert.equal(Buffer.compare(await readAll((await network.client.get(stored.ref)).body), bytes), 0)
})

test('a removal asks those that stand in, after a restart too: each says that it deleted, and nothing is left', async () => {
  const { network, stored, standIns } = await repaired()
  await using _ = network
  const client = network.keys.length - 1
  await network.stop(client)
  await network.start(client)
  const { holders } = await network.client.remove(stored.object)
  for (const at of standIns) {
    const told = holders.find(({ node }) => network.at(node) === at)
    assert.deepEqual([told?.state, told?.receipt?.shards], ['deleted', 1])
  }
  for (const { storage } of network.nodes.values()) assert.equal(storage.held().shards, 0)
})

test('a holder that has nothing of the object any more is not waited for by a renewal', async () => {
  const { network, stored, holders } = await world(9)
  await using _ = network
  await network.empty(holders[3] as number)
  const { state, expiresAt, until, holders: told } = await network.client.renew(stored.object, 20 * DAY)
  assert.deepEqual([state, expiresAt], ['partial', until])
  const lost = told.filter((holder) => holder.state !== 'renewed')
  assert.deepEqual(
    lost.map((holder) => [network.at(holder.node), holder.state, holder.fault?.code]),
    [[holders[3], 'lost', 'E_SHARD_NOT_FOUND']],
  )
})

test('with so many that have nothing that the object is not kept, holders are asked until it is repaired', async () => {
  const { network, stored, holders } = await world(9)
  await using _ = network
  for (const at of holders.slice(0, 4)) await network.empty(at)
  const first = await network.client.renew(stored.object, 20 * DAY)
  assert.deepEqual([first.state, first.expiresAt], ['open', stored.expiresAt])
  assert.equal(first.holders.filter(({ state }) => state === 'lost').length, 4)
})
