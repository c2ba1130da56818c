import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { until } from '../holder/holder-fixture.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { HolderNetwork, type HolderNode } from '../support/holder-network.ts'
import { chunksOf, readAll, testCoding, testStorage } from '../support/test-storage.ts'
import { SHARD, type Storage, block, checkFailures, isWhole, large, nodesOf } from './put-failures.ts'

const MiB = 1024 * 1024
const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

/** Reads by three holders alone, until each had its turn. */
async function comesBack(network: HolderNetwork, storage: Storage, ref: string): Promise<void> {
  const nodes = [...nodesOf(await storage.stat(ref))].map((id) => network.nodes.find((node) => node.id === id)!)
  for (let first = 0; first < nodes.length; first += 3) {
    for (const [at, node] of nodes.entries()) node.up = at >= first && at < first + 3
    for (const node of nodes) if (!node.up) node.breakStreams()
    assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), large), 0)
  }
}

test('a holder that is full from the start is replaced', async () => {
  await using network = await HolderNetwork.of(10, { quota: (at) => (at === 0 ? 1000 : 512 * MiB) })
  await using storage = testStorage(network.overlay(), { coding })
  const full = network.nodes[0]!
  let met = 0
  // Which of ten holders an object prefers is a matter of its key.
  while (met < 2) {
    const before = full.received
    const { ref } = await storage.put(chunksOf(large.subarray(0, 100_000), 65_536))
    const status = await storage.stat(ref)
    assert.equal(status.health, 'healthy')
    assert.ok(!nodesOf(status).has(full.id))
    if (full.received > before) met++
  }
  assert.equal(full.holder.held().shards, 0)
})

test('a holder that becomes full in the middle is replaced, and what it had is made again and released there', async () => {
  // Half of a quota may be provisional: the second whole shard is too much.
  await using network = await HolderNetwork.of(10, { quota: (at) => (at === 0 ? 3 * SHARD : 512 * MiB) })
  await using storage = testStorage(network.overlay(), { coding })
  const full = network.nodes[0]!
  while (full.received === 0) {
    const { ref } = await storage.put(chunksOf(large, 65_536))
    const status = await storage.stat(ref)
    assert.equal(status.health, 'healthy')
    assert.ok(!nodesOf(status).has(full.id))
    if (full.received > 0) await comesBack(network, storage, ref)
  }
  await until(() => full.holder.held().shards === 0, 'what it had was released')
})

for (const [name, bytes] of [
  ['the first', SHARD / 2],
  ['a middle', SHARD * 1.5],
  ['the last', SHARD * 2 + 10_000],
] as const) {
  test(`a holder that dies in ${name} segment is replaced, and its earlier shards are made again`, async () => {
    await using network = await HolderNetwork.of(11)
    await using storage = testStorage(network.overlay(), { coding })
    let dead: HolderNode | undefined
    for (const node of network.nodes) {
      node.onBytes = () => {
        if (dead !== undefined || node.received < bytes) return
        dead = node
        node.kill()
      }
    }
    let lost = 0
    storage.on('holderLost', ({ node }) => assert.equal(node, (lost++, dead?.id)))
    const { ref, warnings } = await storage.put(chunksOf(large, 65_536), { size: large.length })
    assert.ok(dead !== undefined)
    assert.equal(lost, 1)
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['E_HOLDER_REPLACED'],
    )
    assert.match(warnings[0]!.cause, /whole; 1 fell out during the put: .*\(E_STREAM_RESET: .*\)\. Others took/)
    assert.ok(storage.list().every((one) => !('warnings' in one)))
    const status = await isWhole(network, storage, ref)
    assert.equal(status.segments.length, 3)
    assert.ok(!nodesOf(status).has(dead.id))
    await comesBack(network, storage, ref)
  })
}

test('two that die at once are replaced by two', async () => {
  await using network = await HolderNetwork.of(11)
  await using storage = testStorage(network.overlay(), { coding })
  const dead: HolderNode[] = []
  for (const node of network.nodes) {
    node.onBytes = () => {
      if (dead.length > 0 || node.received < SHARD * 1.2) return
      dead.push(
        node,
        network.nodes.find((other) => other !== node && other.received > SHARD)!,
      )
      for (const one of dead) one.kill()
    }
  }
  const { ref } = await storage.put(chunksOf(large, 65_536))
  const status = await isWhole(network, storage, ref)
  assert.ok(dead.every(({ id }) => !nodesOf(status).has(id)))
  await comesBack(network, storage, ref)
})

test('a stream that breaks is opened again: the holder keeps its shards', async () => {
  await using network = await HolderNetwork.of(9)
  await using storage = testStorage(network.overlay(), { coding })
  let broken = 0
  for (const node of network.nodes) {
    node.onBytes = () => {
      if (broken > 2 || node.received < SHARD * 1.2) return
      broken++
      node.onBytes = () => {}
      node.breakStreams()
    }
  }
  const { ref, warnings } = await storage.put(chunksOf(large, 65_536))
  assert.ok(broken > 0)
  assert.deepEqual(warnings, [])
  await isWhole(network, storage, ref)
  await comesBack(network, storage, ref)
})

test('with no spare left the put says who fell out and why, and nothing stays', async () => {
  await using network = await HolderNetwork.of(10, { quota: (at) => (at === 0 ? 1000 : 512 * MiB) })
  await using storage = testStorage(network.overlay(), { coding })
  const victim = network.nodes[4]!
  for (const node of network.nodes) {
    node.onBytes = () => {
      if (victim.up && node.received > SHARD * 1.2) victim.kill()
    }
  }
  await assert.rejects(
    storage.put(chunksOf(large, 65_536)),
    (error: Error & { code: string; details: { lost: { node: string; code: string }[] } }) => {
      assert.equal(error.code, 'E_HOLDERS_LOST')
      assert.match(error.message, /tiny needs 9 storage nodes at once; 2 fell out/)
      assert.match(error.message, /E_QUOTA: /)
      assert.deepEqual(
        error.details.lost.map(({ node }) => node).toSorted(),
        [network.nodes[0]!.id, victim.id].toSorted(),
      )
      return true
    },
  )
  await until(() => network.nodes.every((node) => node === victim || node.holder.held().shards === 0), 'nothing stayed')
  assert.deepEqual(network.records.live(), [])
  assert.deepEqual(storage.list(), [])
})

test('a holder that does not have what it acknowledged is replaced at the end, or fails the put', async () => {
  for (const [count, denies, code] of [
    [10, 'all', undefined],
    [9, 'all', 'E_HOLDERS_LOST'],
    [10, 'committed', 'E_PUT_FAILED'],
  ] as const) {
    const network = new MemoryNetwork(count)
    await using storage = testStorage(network.overlay(), { coding })
    const liar = network.holders[2]!
    liar.denies = denies
    if (code === undefined) {
      const { ref } = await storage.put(chunksOf(large, 65_536))
      assert.equal((await storage.stat(ref)).health, 'healthy')
      assert.equal(liar.shards.size, 0)
      continue
    }
    // The tenth node may be one that the object does not need.
    const failed = async (): Promise<unknown> => {
      for (;;) {
        try {
          await storage.put(chunksOf(block, 65_536))
        } catch (error) {
          return error
        }
      }
    }
    const error = (await failed()) as Error & { code: string }
    assert.equal(error.code, code)
    if (code === 'E_HOLDERS_LOST') assert.match(error.message, /E_HOLDER_CHECK: .* acknowledged shard 0\/\d /)
    if (count === 9) assert.equal(network.shardCount, 0)
  }
})

test('whatever fails, as long as there are spares: each shard is at a node of its own; else nothing stays', () =>
  checkFailures(coding, 5))
