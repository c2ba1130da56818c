import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import fc from 'fast-check'
import { PutPace } from '../../src/object/put-pace.ts'

/** Sends nine shards of which eight take `ms`; when the ninth is late, ms after its start. */
async function lateAfter(segment: number, ms: number): Promise<number> {
  const clock = new VirtualClock()
  const pace = new PutPace(clock, 9)
  const late: number[] = []
  const ends = Array.from({ length: 9 }, (_, at) => pace.watch(segment, () => at === 8 && late.push(clock.monotonic())))
  await clock.advance(ms)
  for (const end of ends.slice(0, 8)) end(true)
  await clock.advance(1_000_000)
  ends[8]!(true)
  const before = late.length
  await clock.advance(1_000_000)
  assert.equal(late.length, before, 'called after its end')
  assert.equal(late[1]! - late[0]!, late[0])
  return late[0]!
}

test('a shard is late by the median of its segment and by what its holder has', async () => {
  assert.equal(await lateAfter(0, 10), 2_010)
  assert.equal(await lateAfter(0, 3_000), 9_000)
  assert.equal(await lateAfter(7, 3_000), 24_000)
  assert.equal(await lateAfter(100, 3_000), 33_000)
  assert.equal(await lateAfter(0, 60_000), 90_000)
})

test('nobody is late before half of the shards are there, however long they take', async () => {
  const clock = new VirtualClock()
  const pace = new PutPace(clock, 9)
  let late = 0
  const ends = Array.from({ length: 9 }, () => pace.watch(0, () => late++))
  await clock.advance(100_000)
  for (const end of ends.slice(0, 4)) end(true)
  await clock.advance(100_000)
  assert.equal(late, 0)
  // Failures say nothing of how long a shard takes.
  ends[4]!(false)
  await clock.advance(1_000_000)
  assert.equal(late, 0)
  ends[5]!(true)
  await clock.advance(1)
  assert.equal(late, 0)
  await clock.advance(2_700_000)
  assert.ok(late >= 3)
})

test('a shard that is sent alone has the time of the segment before', async () => {
  const clock = new VirtualClock()
  const pace = new PutPace(clock, 3)
  const late: number[] = []
  const first = pace.watch(undefined, () => late.push(0))
  await clock.advance(1_000_000)
  assert.equal(late.length, 0)
  first(true)
  const ends = Array.from({ length: 3 }, () => pace.watch(0, () => {}))
  await clock.advance(1_000)
  for (const end of ends) end(true)
  const started = clock.monotonic()
  const end = pace.watch(undefined, () => late.push(clock.monotonic() - started))
  await clock.advance(3_500)
  end(true)
  assert.deepEqual(late, [3_000])
})

test('the wait is never shorter than two seconds beyond the median, nor longer than thirty', () =>
  fc.assert(
    fc.asyncProperty(fc.nat({ max: 1000 }), fc.integer({ min: 1, max: 100_000 }), async (segment, ms) => {
      const extra = (await lateAfter(segment, ms)) - ms
      assert.ok(extra >= 2_000 && extra <= 30_000)
    }),
    { numRuns: 50 },
  ))
