import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { Retries } from '../../src/engine/retries.ts'

function rig() {
  const clock = new VirtualClock()
  const attempts: number[] = []
  const retries = new Retries(clock, () => void attempts.push(clock.monotonic()))
  return { clock, attempts, retries }
}

test('the first attempt is made at once, the next ones ever more rarely up to 8 s, and at once again after a reset', async () => {
  const { clock, attempts, retries } = rig()
  retries.soon()
  assert.deepEqual(attempts, [0])
  for (let time = 0; time < 8; time++) {
    retries.soon()
    await clock.advance(8_000)
  }
  const waits = attempts.slice(1).map((at, index) => at - 8_000 * index)
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000])
  retries.reset()
  retries.soon()
  assert.equal(attempts.at(-1), clock.monotonic())
})

test('one attempt is made for all that asked meanwhile, and none once it is closed', async () => {
  const { clock, attempts, retries } = rig()
  retries.later()
  retries.later()
  await clock.advance(249)
  assert.deepEqual(attempts, [])
  await clock.advance(60_000)
  assert.deepEqual(attempts, [250])
  retries.later()
  retries.close()
  retries.later()
  assert.equal(clock.nextDue, undefined)
})
