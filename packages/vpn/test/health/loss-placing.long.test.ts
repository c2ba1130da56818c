import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Directions, tryEven, tryLoss } from './loss-trials.ts'

const TRIALS = 1_000
const WAYS: readonly Directions[] = ['forward', 'backward', 'both']

for (const link of [0, 1, 2])
  test(`5 % lost on link ${link} is placed there within 2 s in 99 of 100 trials, and nowhere else`, (t) => {
    let [found, wrong] = [0, 0]
    for (let trial = 0; trial < TRIALS; trial++) {
      const result = tryLoss(10_000 * (link + 1) + trial, link, WAYS[trial % 3] as Directions)
      if (result.isFound) found++
      if (result.wrong.length > 0) wrong++
    }
    t.diagnostic(`${found} of ${TRIALS} found, ${wrong} with a wrong place`)
    assert.ok(found >= 0.99 * TRIALS, `${found}`)
    assert.ok(wrong <= 0.001 * TRIALS, `${wrong}`)
  })

test('links that all lose 1 % for an hour in all: nothing is placed', () => {
  for (let trial = 0; trial < 60; trial++) assert.equal(tryEven(trial + 1, 0.01, 60_000), 0, `${trial}`)
})
