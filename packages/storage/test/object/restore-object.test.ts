import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { seededRandom, silentLogger, systemRandom } from '@weft/core'
import { BufferPool } from '../../src/object/buffer-pool.ts'
import { MemoryBudget } from '../../src/object/memory-budget.ts'
import type { ObjectContext } from '../../src/object/object-context.ts'
import { deriveObjectKeys } from '../../src/object/object-keys.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { parseObjectRef } from '../../src/object/object-ref.ts'
import { type RestoredSegment, restoreSegment } from '../../src/object/restore-object.ts'
import type { StoredObject } from '../../src/storage.ts'
import { StorageNetwork } from '../support/storage-network.ts'
import { chunksOf, readAll, testCoding } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const MiB = 1024 * 1024
const bytes = seededRandom(6).bytes(300_000)

/** A repairer on a node of its own: all that it has is the seal key. */
function repairer(network: StorageNetwork, at: number): ObjectContext {
  const { clock } = network
  const overlay = network.overlay(at)
  return {
    overlay,
    self: overlay.self,
    streams: overlay.streams,
    records: new ObjectRecords(overlay.records, clock),
    openMs: 5_000,
    isPrivate: false,
    coding,
    memory: new MemoryBudget(96 * MiB),
    plaintexts: new BufferPool(MiB, clock),
    shards: new BufferPool(32 * MiB, clock),
    clock,
    random: systemRandom,
    logger: silentLogger,
    signal: new AbortController().signal,
  }
}

async function restore(network: StorageNetwork, at: number, { ref }: StoredObject): Promise<RestoredSegment> {
  const context = repairer(network, at)
  const { object, dataKey } = parseObjectRef(ref, 'test-net')
  const { sealKey } = deriveObjectKeys(dataKey ?? assert.fail(), object)
  const head = await context.records.readHead(object)
  const isGone = (node: Parameters<typeof context.overlay.membership.isMember>[0]): boolean =>
    !context.overlay.membership.isMember(node)
  return restoreSegment(context, { object, head, sealKey, isGone, onStandIn: () => {}, signal: context.signal }, 0)
}

async function lose(network: StorageNetwork, at: number): Promise<void> {
  await network.stop(at)
  network.drop(at)
}

async function holdersOf(network: StorageNetwork, { ref }: StoredObject): Promise<number[]> {
  const { segments } = await network.client.stat(ref)
  const stored = segments[0]?.shards.filter(({ state }) => state === 'stored') ?? []
  return stored.map(({ node }) => network.at(node))
}

const put = (network: StorageNetwork): Promise<StoredObject> =>
  network.client.put(chunksOf(bytes, 65_536), { class: 'tiny' })

test('two repairers at once leave every shard kept, one a node, and none that is not right', async () => {
  await using network = await StorageNetwork.start(16)
  const stored = await put(network)
  const holders = await holdersOf(network, stored)
  for (const at of holders.slice(0, 4)) await lose(network, at)
  const [one, other] = holders.slice(4, 6) as [number, number]
  await Promise.all([restore(network, one, stored), restore(network, other, stored)])
  // Where both went on past each other a second look finds what is missing.
  await restore(network, one, stored)
  const now = await holdersOf(network, stored)
  assert.equal(now.length, 9)
  assert.equal(new Set(now).size, 9)
  assert.deepEqual(await restore(network, other, stored), { segment: 0, alive: 9, restored: 0, bytes: 0, lost: 0 })
  for (const at of holders.slice(4)) await lose(network, at)
  assert.equal(Buffer.compare(await readAll((await network.client.get(stored.ref)).body), bytes), 0)
})

test('what nobody can keep is told as lost, and what can is kept', async () => {
  await using network = await StorageNetwork.start(11)
  const stored = await put(network)
  const holders = await holdersOf(network, stored)
  for (const at of holders.slice(0, 4)) await lose(network, at)
  const { alive, restored, lost } = await restore(network, holders[5]!, stored)
  assert.deepEqual([alive, restored, lost], [5, 2, 2])
})

test('a holder that has lost its shard gets it again', async () => {
  await using network = await StorageNetwork.start(9)
  const stored = await put(network)
  await network.empty(3)
  assert.equal((await holdersOf(network, stored)).length, 8)
  const { alive, restored, lost } = await restore(network, 4, stored)
  assert.deepEqual([alive, restored, lost], [8, 1, 0])
  assert.equal((await network.client.stat(stored.ref)).health, 'healthy')
})

test('members come and go: with repair between the losses the object is read each time, by shards its owner never put', async () => {
  await using network = await StorageNetwork.start(20)
  const stored = await put(network)
  const random = seededRandom(7)
  const first = new Set(await holdersOf(network, stored))
  const away: number[] = []
  for (let round = 0; round < 12; round++) {
    const holders = await holdersOf(network, stored)
    for (let loss = 0; loss < 3; loss++) {
      const at = holders.splice(random.bytes(1)[0]! % holders.length, 1)[0]!
      await lose(network, at)
      away.push(at)
    }
    // Those that come back have what they had; the network keeps fourteen.
    while (away.length > 6) {
      const back = away.shift()!
      network.join(back)
      await network.start(back)
    }
    await restore(network, holders[0]!, stored)
    assert.equal(Buffer.compare(await readAll((await network.client.get(stored.ref)).body), bytes), 0)
  }
  assert.ok((await holdersOf(network, stored)).some((at) => !first.has(at)))
})
