import assert from 'node:assert/strict'
import { seededRandom, systemClock } from '@weft/core'
import fc from 'fast-check'
import type { CodingPool } from '../../src/object/coding-pool.ts'
import { HolderLinks } from '../../src/object/holder-links.ts'
import { SEGMENT_PLAINTEXT } from '../../src/object/object-layout.ts'
import { parseObjectRef } from '../../src/object/object-ref.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { shardRoot } from '../../src/object/shard-root.ts'
import type { ObjectStatus } from '../../src/storage.ts'
import { until } from '../holder/holder-fixture.ts'
import { HolderNetwork } from '../support/holder-network.ts'
import { chunksOf, readAll, testStorage } from '../support/test-storage.ts'

const MiB = 1024 * 1024
const random = seededRandom(7)
export const block = random.bytes(1_000_003)
/** Three segments, the last one small. */
export const large = new Uint8Array(2 * SEGMENT_PLAINTEXT + 100_000)
for (let at = 0; at < large.length; at += block.length) large.set(block.subarray(0, large.length - at), at)
/** Bytes of a whole segment at each of nine holders. */
export const SHARD = Math.ceil((16 * MiB) / 3)

export type Storage = ReturnType<typeof testStorage>

/** Every shard of every segment is at a node of its own that has it, committed, and nobody else has anything. */
export async function isWhole(network: HolderNetwork, storage: Storage, ref: string): Promise<ObjectStatus> {
  const status = await storage.stat(ref)
  assert.equal(status.health, 'healthy')
  for (const { shards } of status.segments) {
    assert.equal(new Set(shards.map(({ node }) => node)).size, 9)
    assert.ok(shards.every(({ state }) => state === 'stored'))
  }
  const named = status.segments.length * 9
  await until(
    () => network.nodes.reduce((sum, node) => sum + (node.up ? node.holder.held().shards : 0), 0) <= named,
    'all that no record names was released',
  )
  await rootsHold(network, ref)
  return status
}

/** What each record names lies at its holder byte for byte: what an auditor and a repairer, who have no key, go by. */
export async function rootsHold(network: HolderNetwork, ref: string): Promise<void> {
  const { streams, networkId } = network.overlay()
  const { object } = parseObjectRef(ref, networkId)
  const records = new ObjectRecords(network.records, systemClock)
  const { signal } = new AbortController()
  await using links = new HolderLinks({ streams, openMs: 5_000, clock: systemClock, signal })
  const head = await records.readHead(object, signal)
  for (let index = 0; index < head.segments; index++) {
    const segment = await records.readSegment(object, head, index, signal)
    for (const shard of segment.shards) {
      const bytes = new Uint8Array(segment.shardLength)
      const client = await links.client(shard.node)
      await client.get({ object, segment: index, index: shard.index }, bytes, signal)
      assert.deepEqual(shardRoot(bytes), shard.root, `shard ${index}/${shard.index}`)
    }
  }
}

export function nodesOf(status: ObjectStatus): Set<string> {
  return new Set(status.segments.flatMap(({ shards }) => shards.map(({ node }) => node)))
}

/** Puts while holders die, are full and lose streams: each shard is at a node of its own, or, without spares, nothing stays. */
export async function checkFailures(coding: CodingPool, runs: number): Promise<void> {
  const SPARES = 3
  const failure = fc.record({
    at: fc.nat({ max: 8 + SPARES }),
    // Before it has all of the second segment: from the commit on a holder is not replaced.
    bytes: fc.nat({ max: SHARD + 9_000 }),
    how: fc.constantFrom('dies', 'breaks', 'is full'),
  })
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(failure, { selector: ({ at }) => at, maxLength: SPARES + 2 }), async (failures) => {
      const full = failures.filter(({ how }) => how === 'is full').map(({ at }) => at)
      await using network = await HolderNetwork.of(9 + SPARES, {
        quota: (at) => (full.includes(at) ? 3 * SHARD : 512 * MiB),
      })
      await using storage = testStorage(network.overlay(), { coding })
      for (const { at, bytes, how } of failures) {
        const node = network.nodes[at]!
        node.onBytes = () => {
          if (how === 'is full' || node.received < bytes) return
          node.onBytes = () => {}
          if (how === 'dies') node.kill()
          else node.breakStreams()
        }
      }
      const body = large.subarray(0, SEGMENT_PLAINTEXT + 30_000)
      try {
        const { ref } = await storage.put(chunksOf(body, 65_536))
        await isWhole(network, storage, ref)
        assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), body), 0)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'E_HOLDERS_LOST', String(error))
        assert.ok(failures.filter(({ how }) => how !== 'breaks').length > SPARES)
        const up = network.nodes.filter((node) => node.up)
        await until(() => up.every((node) => node.holder.held().shards === 0), 'nothing stayed')
        assert.deepEqual(network.records.live(), [])
      }
    }),
    { numRuns: runs },
  )
}
