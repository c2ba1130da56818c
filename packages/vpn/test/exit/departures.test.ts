import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { VirtualClock } from '@weft/core'
import { Departures } from '../../src/exit/departures.ts'

function rig() {
  const clock = new VirtualClock()
  const cleared: number[][] = []
  let end = (): void => {}
  const departures = new Departures(clock, (numbers) => {
    cleared.push([...numbers])
    const { promise, resolve } = Promise.withResolvers<undefined>()
    end = () => resolve(undefined)
    return promise
  })
  const finish = async (): Promise<void> => {
    end()
    await setImmediate()
  }
  return { clock, cleared, departures, finish }
}

test('who leaves alone is cleared up after at once, all that leave meanwhile together', async () => {
  const { clock, cleared, departures, finish } = rig()
  const done: number[] = []
  for (const number of [2, 3, 4]) void departures.add(number).then(() => done.push(number))
  assert.deepEqual(cleared, [[2]])
  await finish()
  assert.deepEqual([cleared, done], [[[2]], [2]])
  await clock.advance(50)
  await setImmediate()
  assert.deepEqual(cleared, [[2], [3, 4]])
  await finish()
  assert.deepEqual(done, [2, 3, 4])
})

test('it takes a tenth of the time at most', async () => {
  const { clock, cleared, departures, finish } = rig()
  void departures.add(2)
  void departures.add(3)
  await clock.advance(20)
  await finish()
  await clock.advance(199)
  await setImmediate()
  assert.deepEqual(cleared, [[2]])
  await clock.advance(1)
  await setImmediate()
  assert.deepEqual(cleared, [[2], [3]])
})

test('closing waits for what is under way, and lets the rest go', async () => {
  const { cleared, departures, finish } = rig()
  const left = [2, 3].map((number) => departures.add(number))
  const closed = departures.close()
  await finish()
  await closed
  await Promise.all([...left, departures.add(4)])
  assert.deepEqual(cleared, [[2]])
})
