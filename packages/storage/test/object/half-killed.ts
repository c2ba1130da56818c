import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { compareBytes, randomInt, seededRandom } from '@weft/core'
import { StorageNetwork, advanceUntil } from '../support/storage-network.ts'
import { chunksOf, readAll } from '../support/test-storage.ts'

const NODES = 100
const KILLED = NODES / 2
const DAY = 86_400_000
const TEN_MINUTES = 600_000
/** Bytes: above what stands in a record, so that each object is one segment. */
const SIZE = 20_000

/**
 * Of 100 nodes 50 are killed at once and never come back: every object is read. Others join in their place, and every object
 * is made whole again. The nodes have their real holders, on disks of their own, in one process; what joins them is in
 * memory, and the time that passes between looks of the repair is played.
 * @param count objects of class vault (20 of 80 shards), one segment each
 */
export async function killHalf(t: TestContext, count: number): Promise<void> {
  await using network = new StorageNetwork(NODES + KILLED)
  const random = seededRandom(77)
  const client = NODES + KILLED
  const newcomers = Array.from({ length: KILLED }, (_, at) => NODES + at)
  for (const at of newcomers) network.drop(at)
  for (let at = 0; at < NODES; at++) await network.start(at)
  await network.start(client)
  const objects: { readonly ref: string; readonly bytes: Uint8Array }[] = []
  for (let at = 0; at < count; at++) {
    const bytes = random.bytes(SIZE)
    const { ref } = await network.client.put(chunksOf(bytes, SIZE), { ttlMs: 30 * DAY, class: 'vault' })
    objects.push({ ref, bytes })
  }

  const left = Array.from({ length: NODES }, (_, at) => at)
  for (const _ of newcomers) {
    const node = left.splice(randomInt(random, left.length), 1)[0] ?? assert.fail()
    await network.stop(node)
    network.drop(node)
  }
  for (const { ref, bytes } of objects)
    assert.equal(compareBytes(await readAll((await network.client.get(ref)).body), bytes), 0)
  const alive = async (): Promise<{ readonly least: number; readonly most: number }> => {
    const counts: number[] = []
    for (const { ref } of objects) counts.push((await network.client.stat(ref)).segments[0]?.alive ?? 0)
    return { least: Math.min(...counts), most: Math.max(...counts) }
  }
  const before = await alive()
  t.diagnostic(`all ${count} are read; ${before.least} to ${before.most} of 80 shards are left of each`)

  for (const at of newcomers) {
    network.join(at)
    await network.start(at)
  }
  const started = performance.now()
  // The four hours that a node has to come back pass, then comes the repair.
  assert.ok(await advanceUntil(network, TEN_MINUTES, 30, () => network.client.repaired().restored > 0))
  const seconds = (performance.now() - started) / 1_000
  const { restored, failed } = network.client.repaired()
  t.diagnostic(`${restored} shards were made again in ${seconds.toFixed(1)} s`)
  assert.equal(failed, 0)
  assert.deepEqual(await alive(), { least: 80, most: 80 })
}
