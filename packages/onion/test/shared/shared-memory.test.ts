import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { randomInt, seededRandom } from '@weft/core'
import { SeenClientKeys } from '../../src/circuit/seen-client-keys.ts'
import { InitiationTimes } from '../../src/link/initiation-times.ts'
import { CellBucket } from '../../src/queue/cell-bucket.ts'
import { SharedCellBucket, cellBucketMemory } from '../../src/shared/shared-cell-bucket.ts'
import { SharedClientKeys, clientKeysMemory } from '../../src/shared/shared-client-keys.ts'
import { SharedInitiationTimes, initiationTimesMemory } from '../../src/shared/shared-initiation-times.ts'
import { newSharedMemory } from '../../src/shared/shared-memory.ts'

const NOW = 1_700_000_000_000
const random = seededRandom(3)
const secret = random.bytes(32)
const onionKey = random.bytes(32)

test('what one worker remembers no other takes, and they forget what the one memory of one worker forgets', () => {
  const limit = 64
  const memory = clientKeysMemory(limit)
  const workers = [new SharedClientKeys(memory, secret), new SharedClientKeys(memory, secret)]
  const alone = new SeenClientKeys(limit)
  const keys = Array.from({ length: 400 }, () => random.bytes(32))
  for (let step = 0; step < 20_000; step++) {
    const key = keys[randomInt(random, keys.length)]!
    const worker = workers[randomInt(random, 2)]!
    assert.equal(worker.remember(onionKey, key), alone.remember(onionKey, key), `${step}`)
  }
  assert.ok(workers[0]!.remember(random.bytes(32), keys[0]!), 'another onion key is another pair')
})

test('times of initiations are those of one worker as long as there is room', () => {
  const memory = initiationTimesMemory(4_096)
  const workers = [new SharedInitiationTimes(memory, secret), new SharedInitiationTimes(memory, secret)]
  const alone = new InitiationTimes(4_096)
  const keys = Array.from({ length: 100 }, () => random.bytes(32))
  for (let step = 0; step < 20_000; step++) {
    const now = NOW + 10 * step
    const time = now + randomInt(random, 700_000) - 350_000
    const [key, part] = [keys[randomInt(random, keys.length)]!, randomInt(random, 2)]
    const worker = workers[randomInt(random, 2)]!
    // Alone forgets keys whose time has passed; with the skew such a time is refused all the same.
    assert.equal(worker.accept(key, part, time, now), alone.accept(key, part, time, now), `${step}`)
  }
})

test('with too many keys the oldest times make room, and nothing else happens', () => {
  const times = new SharedInitiationTimes(initiationTimesMemory(64), secret)
  for (let i = 0; i < 10_000; i++) assert.ok(times.accept(random.bytes(32), 0, NOW + i, NOW))
  const key = random.bytes(32)
  assert.ok(times.accept(key, 0, NOW + 20_000, NOW))
  assert.equal(times.accept(key, 0, NOW + 20_000, NOW), false)
})

test('one limit for all: what one worker takes the other has not', () => {
  const [rate, memory] = [1_440_000, cellBucketMemory()]
  // The clocks of threads begin at other times.
  const workers = [new SharedCellBucket(memory, rate, 1_000_000), new SharedCellBucket(memory, rate, 1_000_500)]
  const alone = new CellBucket(rate, 0)
  const [one, two] = workers as [SharedCellBucket, SharedCellBucket]
  one.available(0)
  let took = 0
  for (let now = 0; now < 10_000; now++) {
    const from = now % 2 === 0 ? one : two
    const own = now % 2 === 0 ? now : now - 500
    const may = from.available(own)
    assert.ok(may <= 20)
    from.take(may)
    took += may
    alone.take(alone.available(now))
  }
  assert.ok(took >= 9_999 && took <= 10_020, `${took}`)
  two.take(two.available(9_500))
  assert.ok(two.dueAt() > 9_500 && two.dueAt() <= 9_501, `${two.dueAt()}`)
})

test('threads that bring the same keys at once: each key is taken once', async () => {
  const shared = newSharedMemory(secret)
  const keys = Array.from({ length: 2_000 }, () => random.bytes(32))
  const threads = Array.from(
    { length: 3 },
    () => new Worker(new URL('./remember-worker.ts', import.meta.url), { workerData: { shared, keys, now: NOW } }),
  )
  const sums = { keys: 0, times: 0 }
  for (const [first] of (await Promise.all(threads.map((thread) => once(thread, 'message')))) as [typeof sums][]) {
    sums.keys += first.keys
    sums.times += first.times
  }
  assert.deepEqual(sums, { keys: keys.length, times: keys.length })
})
