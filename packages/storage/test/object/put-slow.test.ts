import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import { SEGMENT_PLAINTEXT } from '../../src/object/object-layout.ts'
import { until } from '../holder/holder-fixture.ts'
import { HolderNetwork, type HolderNode } from '../support/holder-network.ts'
import { chunksOf, readAll, testCoding, testStorage } from '../support/test-storage.ts'
import { rootsHold } from './put-failures.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const random = seededRandom(9)
const block = random.bytes(1_000_003)
/** Two segments, the second one small. */
const body = new Uint8Array(SEGMENT_PLAINTEXT + 100_000)
for (let at = 0; at < body.length; at += block.length) body.set(block.subarray(0, body.length - at), at)
const SHARD = Math.ceil((16 * 1024 * 1024) / 3)

/** Has the first node that got so many bytes take no more until `open`. */
function stuckAt(network: HolderNetwork, bytes: number): { node: HolderNode | undefined; open: () => void } {
  const gate = Promise.withResolvers<void>()
  const stuck: { node: HolderNode | undefined; open: () => void } = { node: undefined, open: gate.resolve }
  for (const node of network.nodes) {
    node.onBytes = () => {
      if (stuck.node !== undefined || node.received < bytes) return
      stuck.node = node
      node.gate = gate.promise
    }
  }
  return stuck
}

for (const [name, bytes] of [
  ['the first', 0],
  ['the last', SHARD + 50],
] as const) {
  test(`a holder that stalls in ${name} segment loses its seat to a spare`, async () => {
    await using network = await HolderNetwork.of(11)
    const clock = new VirtualClock(Date.now())
    await using storage = testStorage(network.overlay(), { coding, clock })
    const stuck = stuckAt(network, bytes)
    let done = 0
    // The second segment comes when the first is stored, as it would be coded faster.
    const source = async function* () {
      yield* chunksOf(body.subarray(0, SEGMENT_PLAINTEXT + 1), 65_536)
      if (bytes > 0) await until(() => done === SEGMENT_PLAINTEXT, 'the first segment was stored')
      yield body.subarray(SEGMENT_PLAINTEXT + 1)
    }
    const put = storage.put(source(), { onProgress: ({ bytes: sent }) => (done = sent) })
    // All that does not wait for the one that is stuck: eight shards of the segment that it has not got.
    const others = bytes === 0 ? (SEGMENT_PLAINTEXT * 8) / 9 : SEGMENT_PLAINTEXT + (100_000 * 8) / 9
    await until(() => done >= Math.floor(others), 'the others had their shards')
    await clock.advance(2_100)
    await until(() => done === body.length, 'a spare had the shard')
    stuck.open()
    const { ref } = await put
    const status = await storage.stat(ref)
    assert.equal(status.health, 'healthy')
    for (const { shards } of status.segments) {
      assert.equal(new Set(shards.map(({ node }) => node)).size, 9)
      assert.ok(shards.every(({ node }) => node !== stuck.node!.id))
    }
    await rootsHold(network, ref)
    assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), body), 0)
    await until(() => stuck.node!.holder.held().shards === 0, 'the one that was late released what it had')
  })
}

test('where the one that was late is faster, it keeps its seat, and the spare keeps nothing', async () => {
  await using network = await HolderNetwork.of(10)
  const clock = new VirtualClock(Date.now())
  await using storage = testStorage(network.overlay(), { coding, clock })
  const stuck = stuckAt(network, 0)
  let done = 0
  const put = storage.put(chunksOf(block, 65_536), { onProgress: ({ bytes }) => (done = bytes) })
  await until(() => done >= Math.floor((block.length * 8) / 9), 'the others had their shards')
  const spare = network.nodes.find((node) => !node.asked)!
  const gate = Promise.withResolvers<void>()
  spare.gate = gate.promise
  await clock.advance(2_100)
  await until(() => spare.asked, 'the spare was tried')
  stuck.open()
  await until(() => done === block.length, 'the one that was late had the shard')
  gate.resolve()
  const { ref } = await put
  await rootsHold(network, ref)
  const [segment] = (await storage.stat(ref)).segments
  assert.ok(segment!.shards.some(({ node }) => node === stuck.node!.id))
  await until(() => spare.holder.held().shards === 0, 'the spare kept nothing')
  assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), block), 0)
})

test('without a spare the put waits for the one that is late', async () => {
  await using network = await HolderNetwork.of(9)
  const clock = new VirtualClock(Date.now())
  await using storage = testStorage(network.overlay(), { coding, clock })
  const stuck = stuckAt(network, 0)
  let done = 0
  const put = storage.put(chunksOf(block, 65_536), { onProgress: ({ bytes }) => (done = bytes) })
  await until(() => done >= Math.floor((block.length * 8) / 9), 'the others had their shards')
  await clock.advance(60_000)
  stuck.open()
  const { ref } = await put
  assert.equal((await storage.stat(ref)).health, 'healthy')
})

test('spares are opened ahead where there are any', async () => {
  for (const [nodes, streams] of [
    [9, 9],
    [10, 10],
    [14, 11],
  ] as const) {
    await using network = await HolderNetwork.of(nodes)
    await using storage = testStorage(network.overlay(), { coding })
    let most = 0
    for (const node of network.nodes) {
      node.onBytes = () => {
        most = Math.max(most, network.nodes.filter(({ open }) => open.size > 0).length)
      }
    }
    await storage.put(chunksOf(block, 65_536))
    assert.equal(most, streams)
  }
})
