import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { Padding } from '../../src/circuit/padding.ts'
import { draw, exponential, uniform } from '../../src/shaping/distribution.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('nothing is drawn outside of its bounds, and a greater chance draws no less', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 1, max: 50 }),
      chance,
      chance,
      (scale, times, one, two) => {
        const most = scale * times
        for (const [from, least] of [
          [exponential(scale, most), 0],
          [uniform(most / 2, most), most / 2],
        ] as const) {
          const drawn = [draw(from, Math.min(one, two)), draw(from, Math.max(one, two))] as const
          assert.ok(drawn[0] >= least && drawn[0] <= drawn[1] && drawn[1] <= most, drawn.join(' '))
        }
      },
    ),
  )
})

test('a truncated exponential has the mean of its formula', () => {
  const padding = new Padding(seededRandom(1))
  const [scale, most, count] = [4, 20, 20_000]
  let sum = 0
  for (let at = 0; at < count; at++) sum += draw(exponential(scale, most), padding.fraction())
  // s - m / (exp(m / s) - 1); the deviation of the mean is below 0.03.
  const mean = scale - most / Math.expm1(most / scale)
  assert.ok(Math.abs(sum / count - mean) < 0.15, `${sum / count} in place of ${mean}`)
})
