import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import fc from 'fast-check'
import type { StorageEvents } from '../../src/storage.ts'
import { deriveObjectKeys } from '../../src/object/object-keys.ts'
import { SEGMENT_PLAINTEXT } from '../../src/object/object-layout.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { parseObjectRef } from '../../src/object/object-ref.ts'
import { openSealKey } from '../../src/object/seal-keys.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { chunksOf, readAll, testCoding, testStorage } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const random = seededRandom(1)
const small = random.bytes(100_000)
/** Two segments, the second one small. */
const large = new Uint8Array(SEGMENT_PLAINTEXT + 1000)
for (let at = 0; at < large.length; at += small.length) large.set(small.subarray(0, large.length - at), at)

function nothingStays(network: MemoryNetwork): void {
  assert.equal(network.shardCount, 0)
  assert.deepEqual(network.records.live(), [])
}

test('objects of all sizes come back, with and without a known length', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.nat({ max: 5000 }), fc.constantFrom(65_519, 65_520, 65_521, 131_040)),
      fc.boolean(),
      async (size, told) => {
        const bytes = random.bytes(size)
        const stored = await storage.put(chunksOf(bytes, 9_999), told ? { size } : {})
        const reader = await storage.get(stored.ref)
        assert.equal(reader.size, size)
        assert.equal(Buffer.compare(await readAll(reader.body), bytes), 0)
        const status = await storage.stat(stored.ref.split('#')[0]!)
        assert.deepEqual([status.health, status.size, status.fault, status.relaxed], ['healthy', size, undefined, []])
      },
    ),
    { numRuns: 15 },
  )
  assert.equal(storage.list().length, new Set(storage.list().map((one) => one.ref)).size)
  assert.ok([...network.holders].every((holder) => [...holder.shards.values()].every((shard) => shard.committed)))
})

test('each validator of the term can open the seal key of what was put', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const { ref } = await storage.put(chunksOf(small, 65_536), { size: small.length })
  const { object, dataKey } = parseObjectRef(ref, 'test-net')
  const { sealKeys } = await new ObjectRecords(network.records, network.clock).readHead(object)
  const { sealKey } = deriveObjectKeys(dataKey!, object)
  for (const key of network.validators) assert.deepEqual(openSealKey(sealKeys, object, key), sealKey)
})

test('k of n: any n - k holders may be gone; one more, and the error names each missing shard', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const { ref } = await storage.put(chunksOf(large, 65_536), { size: large.length })
  const [a, b, ...rest] = (await storage.stat(ref)).segments[0]!.shards.map((shard) => network.holder(shard.node))
  for (const holder of rest.slice(0, 6)) holder.kill()
  assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), large), 0)
  const degraded = await storage.stat(ref)
  assert.deepEqual(
    [degraded.health, degraded.fault?.code, degraded.segments[0]?.alive],
    ['degraded', 'E_OBJECT_DEGRADED', 3],
  )
  b!.kill()
  await assert.rejects(
    storage.get(ref).then((reader) => readAll(reader.body)),
    (error: Error & { code: string; details: { missing: unknown[] } }) => {
      assert.equal(error.code, 'E_SHARDS_MISSING')
      assert.match(error.message, /Segment 0: 2 of 3 needed shards; missing: shard \d on …\w{8} \(unreachable\)/)
      assert.equal(error.details.missing.length, 7)
      return true
    },
  )
  const lost = await storage.stat(ref)
  assert.deepEqual([lost.health, lost.fault?.code], ['lost', 'E_OBJECT_LOST'])
  a!.kill()
  for (const holder of network.holders) holder.up = true
  assert.equal((await storage.stat(ref)).health, 'healthy')
  assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), large), 0)
})

test('corrupted, swapped and replayed shards are found by their root, ignored and named', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const older = await storage.put(chunksOf(large.slice().reverse(), 65_536))
  const { ref, object } = await storage.put(chunksOf(large, 65_536))
  assert.notEqual(older.object, object)
  const held = network.holders.map((holder) => [...holder.shards.entries()])
  const mine = (at: number, segment: number) =>
    held[at]!.find(([, s]) => s.object !== held[at]![0]![1].object && s.segment === segment)![1]
  const theirs = (at: number, segment: number) =>
    held[at]!.find(([, s]) => s.object === held[at]![0]![1].object && s.segment === segment)![1]
  // One bit, another object's (an older version of the same data would be one, too), another index's, another segment's, another length.
  mine(0, 0).bytes[77]! ^= 1
  mine(1, 0).bytes = theirs(1, 0).bytes.slice()
  mine(2, 0).bytes = mine(3, 0).bytes.slice()
  mine(4, 1).bytes = mine(5, 1).bytes.slice()
  mine(5, 1).bytes = mine(5, 0).bytes.slice(0, mine(5, 1).bytes.length)
  mine(6, 0).bytes = mine(6, 0).bytes.slice(1)
  assert.equal(Buffer.compare(await readAll((await storage.get(ref)).body), large), 0)
  for (const at of [3, 4, 5, 7]) mine(at, 0).bytes.fill(0)
  await assert.rejects(
    storage.get(ref).then((reader) => readAll(reader.body)),
    (error: Error & { details: { missing: { state: string }[] } }) => {
      assert.equal(error.details.missing.length, 8)
      assert.ok(error.details.missing.every((shard) => shard.state === 'corrupt'))
      return true
    },
  )
})

test('nothing stays of a put whose holder refuses, whose records fail, whose commit fails, or whose source fails', async () => {
  // Two segments where it is the second one, or the head record behind both, that fails.
  const failing: [bytes: Uint8Array, fail: (network: MemoryNetwork) => void][] = [
    [large, (network) => (network.holders[4]!.acceptPuts = 1)],
    [small, (network) => (network.records.failPuts = 1)],
    [large, (network) => (network.records.failPuts = 3)],
    [small, (network) => (network.holders[8]!.failCommit = true)],
  ]
  for (const [bytes, fail] of failing) {
    const network = new MemoryNetwork(9)
    await using storage = testStorage(network.overlay(), { coding })
    fail(network)
    await assert.rejects(storage.put(chunksOf(bytes, 65_536)))
    nothingStays(network)
    assert.deepEqual(storage.list(), [])
  }
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const broken = async function* () {
    yield* chunksOf(large, 65_536)
    throw new Error('the disk is gone')
  }
  await assert.rejects(storage.put(broken()), { code: 'E_PUT_FAILED' })
  nothingStays(network)
})

test('an abort in the middle of a put leaves no shard and no record', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const controller = new AbortController()
  const progress: number[] = []
  const onProgress = ({ bytes }: { bytes: number }): void => {
    progress.push(bytes)
    controller.abort()
  }
  const put = storage.put(chunksOf(large, 65_536), { signal: controller.signal, onProgress })
  await assert.rejects(put, { code: 'E_ABORTED' })
  assert.ok(progress[0]! > 0 && progress[0]! < large.length)
  nothingStays(network)
})

test('a holder that dies in the middle of a put fails it, and nothing stays at the others', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const put = storage.put(chunksOf(large, 65_536), { onProgress: () => network.holders[3]!.kill() })
  await assert.rejects(put)
  nothingStays(network)
})

test('a class that the network cannot hold is refused before a byte is sent', async () => {
  const network = new MemoryNetwork(10)
  await using storage = testStorage(network.overlay(), { coding })
  network.holders[0]!.up = false
  network.holders[1]!.up = false
  await assert.rejects(
    storage.put(chunksOf(large, 65_536), { size: large.length }),
    (error: Error & { code: string; details: { unreachable: string[] } }) => {
      assert.equal(error.code, 'E_CLASS_UNAVAILABLE')
      assert.match(error.message, /needs 9 storage nodes; the network has 10, of which 8 can be reached/)
      assert.deepEqual(
        error.details.unreachable.toSorted(),
        [network.holders[0]!.id, network.holders[1]!.id].toSorted(),
      )
      return true
    },
  )
  await assert.rejects(storage.put(chunksOf(small, 65_536), { class: 'vault' }), { code: 'E_CLASS_UNAVAILABLE' })
  assert.equal(network.sent, 0)
  network.holders[0]!.up = true
  await storage.put(chunksOf(small, 65_536))
})

test('a slow holder is hedged: the read ends without it', async () => {
  const network = new MemoryNetwork(9)
  const clock = new VirtualClock(Date.now())
  await using storage = testStorage(network.overlay(), { coding, clock })
  const { ref } = await storage.put(chunksOf(small, 65_536))
  const first = network.holder((await storage.stat(ref)).segments[0]!.shards[0]!.node)
  const stuck = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  Object.defineProperty(first, 'gate', {
    get: () => {
      asked.resolve()
      return stuck.promise
    },
  })
  const read = storage.get(ref).then((reader) => readAll(reader.body))
  await asked.promise
  // Longer than the first hedge waits, much shorter than what gives up a shard.
  await clock.advance(3_000)
  assert.equal(Buffer.compare(await read, small), 0)
  assert.equal(first.gets, 1)
  stuck.resolve()
})

test('wrong keys, keyless references and unknown objects each say what they are', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const one = await storage.put(chunksOf(small, 65_536))
  const other = await storage.put(chunksOf(small.subarray(0, 10), 65_536))
  const mixed = `${other.ref.split('#')[0]}#${one.ref.split('#')[1]}`
  await assert.rejects(
    storage.get(mixed).then((reader) => readAll(reader.body)),
    { code: 'E_OBJECT_KEY' },
  )
  const coded = await storage.put(chunksOf(seededRandom(3).bytes(100_000), 65_536))
  const foreign = `${coded.ref.split('#')[0]}#${one.ref.split('#')[1]}`
  await assert.rejects(
    storage.get(foreign).then((reader) => readAll(reader.body)),
    { code: 'E_OBJECT_KEY' },
  )
  await assert.rejects(storage.get(one.ref.split('#')[0]!), { code: 'E_OBJECT_KEY' })
  await assert.rejects(storage.get(`weft://test-net/${'a'.repeat(52)}#${one.ref.split('#')[1]}`), {
    code: 'E_OBJECT_NOT_FOUND',
  })
  await assert.rejects(storage.put(chunksOf(small, 9), { ttlMs: 1 }), {
    code: 'E_PUT_OPTION',
    details: { field: 'ttlMs' },
  })
})

test('transfers are told: that they run, and how they end', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const events: StorageEvents['transfer'][] = []
  storage.on('transfer', (event) => events.push(event))
  const { ref } = await storage.put(chunksOf(small, 65_536), { size: small.length })
  await readAll((await storage.get(ref)).body)
  for await (const chunk of (await storage.get(ref)).body) if (chunk.length > 0) break
  const ends = events.filter((event) => event.state !== 'running').map(({ kind, state, bytes }) => [kind, state, bytes])
  assert.deepEqual(ends.slice(0, 2), [
    ['put', 'done', small.length],
    ['get', 'done', small.length],
  ])
  assert.deepEqual(ends[2]?.slice(0, 2), ['get', 'failed'])
  assert.equal(
    network.holders.reduce((sum, holder) => sum + holder.streams.size, 0),
    0,
  )
})
