import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import fc from 'fast-check'
import { TierQuestions } from '../../src/engine/tier-questions.ts'

interface Asked {
  readonly at: number
  readonly what: 'ping' | 'count' | 'exit'
}

/** @param answersMs of each question in turn; undefined for none @param isDue at a time */
function questionsOf(answersMs: readonly (number | undefined)[], isDue: (now: number) => boolean) {
  const clock = new VirtualClock()
  const asked: Asked[] = []
  const ask = (what: Asked['what']) => (): void => {
    const ms = answersMs[asked.length % answersMs.length]
    asked.push({ at: clock.monotonic(), what })
    if (ms !== undefined) clock.after(ms, () => questions.answered())
  }
  let told = 0
  const questions = new TierQuestions({
    clock,
    isDue,
    count: ask('count'),
    ping: ask('ping'),
    pingExit: ask('exit'),
    onAsked: () => told++,
  })
  questions.begin()
  return { clock, questions, asked, told: () => told }
}

test('while the exit does not answer it is asked every half second, and hops which of them it is', async () => {
  const { clock, questions, asked } = questionsOf([undefined], (now) => now < 100)
  await clock.advance(4_000)
  assert.equal(questions.openSince, 0)
  const times = (what: Asked['what']): number[] => asked.filter((each) => each.what === what).map(({ at }) => at)
  assert.deepEqual(times('ping'), [0])
  assert.deepEqual(times('count'), [0, 750, 1_250, 1_750, 2_250, 2_750, 3_250, 3_750])
  assert.deepEqual(times('exit'), [500])
  questions.answered()
  assert.equal(questions.openSince, undefined)
  const before = asked.length
  await clock.advance(5_900)
  assert.equal(asked.length, before)
  questions.askExit()
  assert.deepEqual(asked.at(-1), { at: 9_900, what: 'exit' })
  questions.close()
  await clock.advance(60_000)
  assert.equal(asked.length, before + 1)
})

test('whatever is due and answered, each kind is asked four times a second at most, pings every 10 s, and all of it on looks', async () => {
  const answers = fc.array(fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined }), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(answers, fc.integer({ min: 1, max: 30_000 }), async (answersMs, everyMs) => {
      const { clock, questions, asked, told } = questionsOf(answersMs, (now) => now % (2 * everyMs) < everyMs)
      await clock.advance(30_000)
      questions.close()
      assert.equal(told(), asked.length)
      for (const [index, { at, what }] of asked.entries()) {
        assert.equal(at % 250, 0)
        assert.ok(!asked.slice(0, index).some((other) => other.at === at && other.what === what))
      }
      assert.deepEqual(
        asked.filter(({ what }) => what === 'ping').map(({ at }) => at),
        [0, 10_000, 20_000, 30_000],
      )
    }),
    { numRuns: 30 },
  )
})
