import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { AnswerWatch } from '../../src/engine/answer-watch.ts'

function make() {
  const clock = new VirtualClock()
  const told: number[] = []
  return { clock, told, watch: new AnswerWatch(clock, (ms) => void told.push(ms)) }
}

test('the time is from the last bytes of the question to the first of the answer, and is told once', async () => {
  const { clock, told, watch } = make()
  watch.sent(200)
  await clock.advance(30)
  watch.sent(16_184)
  await clock.advance(70)
  watch.came()
  watch.sent(10)
  await clock.advance(5)
  watch.came()
  assert.deepEqual(told, [70])
})

test('nothing is told where the target spoke first, nor of a question that takes long to send', async () => {
  const first = make()
  first.watch.came()
  first.watch.sent(10)
  first.watch.came()
  const long = make()
  long.watch.sent(16_385)
  await long.clock.advance(9)
  long.watch.came()
  assert.deepEqual([first.told, long.told], [[], []])
})
