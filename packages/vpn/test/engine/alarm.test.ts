import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import fc from 'fast-check'
import { Alarm } from '../../src/engine/alarm.ts'

test('fires at the moment that was set last, once each time that it is set', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(50), fc.nat(200)), { minLength: 1, maxLength: 8 }), async (moves) => {
      const clock = new VirtualClock()
      const fired: number[] = []
      const expected: number[] = []
      const alarm = new Alarm(clock, () => fired.push(clock.monotonic()))
      let due = Number.POSITIVE_INFINITY
      for (const [step, delay] of moves) {
        await clock.advance(step)
        // It fired, and may be set anew.
        if (due <= clock.monotonic()) expected.push(due)
        due = clock.monotonic() + delay + 1
        alarm.set(due)
      }
      await clock.advance(1_000)
      assert.deepEqual(fired, [...expected, due])
    }),
    { numRuns: 50 },
  )
})

test('never, and cleared', async () => {
  const clock = new VirtualClock()
  const alarm = new Alarm(clock, () => assert.fail('it was cleared'))
  alarm.set(10)
  alarm.set(undefined)
  await clock.advance(100)
  alarm.set(200)
  alarm.clear()
  await clock.advance(1_000)
})
