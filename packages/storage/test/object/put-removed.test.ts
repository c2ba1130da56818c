import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import { SEGMENT_PLAINTEXT } from '../../src/object/object-layout.ts'
import { until } from '../holder/holder-fixture.ts'
import { HolderNetwork, type HolderNode } from '../support/holder-network.ts'
import { chunksOf, testCoding, testStorage } from '../support/test-storage.ts'

// Whom a removal asks when holders fell out of the put.

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const MiB = 1024 * 1024
const block = seededRandom(11).bytes(1_000_003)
/** Two segments, the second one small. */
const body = new Uint8Array(SEGMENT_PLAINTEXT + 100_000)
for (let at = 0; at < body.length; at += block.length) body.set(block.subarray(0, body.length - at), at)
const SHARD = Math.ceil((16 * MiB) / 3)

test('who fell out and may have kept shards is asked to remove them', async () => {
  // Their clock stands, so what is provisional stays.
  await using network = await HolderNetwork.of(10, { clock: new VirtualClock(Date.now()) })
  // No holder is slow by a clock that stands.
  await using storage = testStorage(network.overlay(), { coding, clock: new VirtualClock(Date.now()) })
  let dead: HolderNode | undefined
  const kill = (): void => {
    dead = network.nodes.find((node) => node.holder.held().shards > 0)
    dead?.kill()
  }
  for (const node of network.nodes) node.onBytes = () => void (dead === undefined && kill())
  const { object } = await storage.put(chunksOf(body, 65_536))
  assert.ok(dead !== undefined)
  assert.equal(dead.holder.held().shards, 1)

  const removal = await storage.remove(object)
  assert.equal(removal.state, 'open')
  assert.equal(removal.holders.length, 10)
  assert.deepEqual(
    removal.holders.filter(({ state }) => state !== 'deleted').map(({ node }) => node),
    [dead.id],
  )
  dead.up = true
  const again = await storage.remove(object)
  assert.equal(again.state, 'done')
  assert.equal(again.holders.find(({ node }) => node === dead?.id)?.receipt?.shards, 1)
  assert.equal(network.shardCount, 0)
})

test('who fell out and said that it released what it had is not asked', async () => {
  await using network = await HolderNetwork.of(10, { quota: (at) => (at === 0 ? 3 * SHARD : 512 * MiB) })
  // No holder is slow by a clock that stands.
  await using storage = testStorage(network.overlay(), { coding, clock: new VirtualClock(Date.now()) })
  const full = network.nodes[0]!
  let object = ''
  let done = 0
  let isLost = false
  storage.on('holderLost', () => (isLost = true))
  // Half of a quota may be provisional, which the second segment is too much for. Not each object prefers this holder.
  while (full.received === 0) {
    const source = async function* () {
      yield* chunksOf(body.subarray(0, SEGMENT_PLAINTEXT), 65_536)
      yield* chunksOf(body.subarray(0, SEGMENT_PLAINTEXT), 65_536)
      // The end of a segment is seen by what follows it.
      yield block
      await until(() => {
        return full.received > 0 ? isLost && full.holder.held().shards === 0 : done === 2 * SEGMENT_PLAINTEXT
      }, 'what it had was released')
      yield block
    }
    ;({ object } = await storage.put(source(), { onProgress: ({ bytes }) => (done = bytes) }))
  }
  const removal = await storage.remove(object)
  assert.deepEqual([removal.state, removal.holders.length], ['done', 9])
  assert.ok(removal.holders.every(({ node }) => node !== full.id))
})

test('one whose seat a spare took is asked: what came by its former stream may be on its disk', async () => {
  await using network = await HolderNetwork.of(10)
  const clock = new VirtualClock(Date.now())
  await using storage = testStorage(network.overlay(), { coding, clock })
  const gate = Promise.withResolvers<void>()
  let late: HolderNode | undefined
  for (const node of network.nodes) {
    node.onBytes = () => {
      if (late !== undefined) return
      late = node
      node.gate = gate.promise
    }
  }
  let done = 0
  const put = storage.put(chunksOf(block, 65_536), { onProgress: ({ bytes }) => (done = bytes) })
  await until(() => done >= Math.floor((block.length * 8) / 9), 'the others had their shards')
  await clock.advance(2_100)
  await until(() => done === block.length, 'a spare had the shard')
  gate.resolve()
  const { object } = await put
  const removal = await storage.remove(object)
  assert.deepEqual([removal.state, removal.holders.length], ['done', 10])
  assert.equal(removal.holders.find(({ node }) => node === late?.id)?.receipt?.shards, 0)
  assert.equal(network.shardCount, 0)
})
