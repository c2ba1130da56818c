import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { StallWatch } from '../../src/object/stall-watch.ts'

test('it calls when work is under way and none of it ends, and only then', async () => {
  const clock = new VirtualClock()
  let stalls = 0
  using watch = new StallWatch(clock, 100, () => stalls++)
  await clock.advance(500)
  assert.equal(stalls, 0, 'nothing to wait for')
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const watched = [watch.watch(one.promise), watch.watch(two.promise)]
  await clock.advance(90)
  one.resolve()
  await watched[0]
  await clock.advance(90)
  assert.equal(stalls, 0, 'one of the two ended in time')
  await clock.advance(10)
  assert.equal(stalls, 1)
  two.resolve()
  await watched[1]
  await clock.advance(500)
  assert.equal(stalls, 1, 'all ended')
})
