import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { followEpochs } from '../../src/map/map-schedule.ts'
import { BEGIN, EPOCH, testNetwork } from '../fixtures.ts'

const { network } = testNetwork(1, 0)

/** When a node asked for a map in one epoch, ms after its beginning; it holds the map of `held` epochs before. */
async function questions(hearsGossip: boolean, held: number | undefined): Promise<number[]> {
  const epoch = 10
  const start = BEGIN + epoch * EPOCH
  const clock = new VirtualClock(start)
  const asked: number[] = []
  const stop = new AbortController()
  const running = followEpochs(
    {
      network,
      clock,
      heldEpoch: () => (held === undefined ? undefined : epoch - held),
      pull: async () => void asked.push(clock.now() - start),
      hearsGossip: () => hearsGossip,
    },
    stop.signal,
  ).catch(() => {})
  await clock.advance(0)
  for (let ms = 0; ms < EPOCH - 100; ms += 100) await clock.advance(100)
  stop.abort()
  await running
  return asked
}

test('a member asks when the map of the last epoch is missing, and leaves that of this one to gossip', async () => {
  assert.deepEqual(await questions(true, 0), [])
  assert.deepEqual(await questions(true, 1), [])
  assert.equal((await questions(true, 2))[0], 0)
})

test('whom gossip does not reach asks for the map of this epoch, once its leader had the time to make it', async () => {
  assert.deepEqual(await questions(false, 0), [])
  assert.deepEqual(
    await questions(false, 1),
    [1, 2, 3, 4].map((tries) => (tries * EPOCH) / 5),
  )
})

test('a node without any map asks at once', async () => {
  assert.equal((await questions(false, undefined))[0], 0)
  assert.equal((await questions(true, undefined))[0], 0)
})
