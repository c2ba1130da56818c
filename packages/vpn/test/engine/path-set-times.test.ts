import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import { PathSetTimes } from '../../src/engine/path-set-times.ts'
import type { PathSet } from '../../src/engine/path-set.ts'

const MEAN_MS = 600_000

function rig() {
  const clock = new VirtualClock()
  const due: number[] = []
  const onDue = (): void => void due.push(clock.monotonic())
  const times = new PathSetTimes({ clock, random: seededRandom(1), rotationMs: () => MEAN_MS, onDue })
  const set = (ready = true): PathSet => ({ ready }) as PathSet
  return { clock, due, times, set }
}

test('each has a time of its own, told once when it is over', async () => {
  const { clock, due, times, set } = rig()
  const sets = Array.from({ length: 20 }, () => set())
  for (const each of sets) {
    times.begin(each)
    times.use(each)
  }
  await clock.advance(0.75 * MEAN_MS - 1)
  assert.ok(!sets.some((each) => times.isStale(each)))
  // That one is used again does not make its time longer.
  for (const each of sets) times.use(each)
  await clock.advance(0.5 * MEAN_MS + 1)
  assert.ok(sets.every((each) => times.isStale(each)))
  assert.deepEqual([due.length, new Set(due).size, clock.nextDue], [20, 20, undefined])
})

test('one that is built for long is told, one that got ready is not', async () => {
  const { clock, due, times, set } = rig()
  const [slow, quick] = [set(false), set(false)] as [PathSet, { ready: boolean } & PathSet]
  times.begin(slow)
  times.begin(quick)
  quick.ready = true
  await clock.advance(700)
  assert.deepEqual(due, [700])
  const ended = set(false)
  times.begin(ended)
  times.end(ended)
  await clock.advance(10_000)
  assert.equal(due.length, 1)
})

test('of one that is over it stays as it was whether its time was', async () => {
  const { clock, due, times, set } = rig()
  const [stale, other] = [set(), set()]
  times.use(stale)
  times.use(other)
  times.expire(stale)
  for (const each of [stale, other]) times.end(each)
  await clock.advance(2 * MEAN_MS)
  assert.deepEqual([times.isStale(stale), times.isStale(other), due], [true, false, []])
})

test('no timer is left when it is closed', () => {
  const { clock, times, set } = rig()
  times.use(set())
  times.begin(set(false))
  assert.ok(clock.nextDue !== undefined)
  times.close()
  assert.equal(clock.nextDue, undefined)
})
