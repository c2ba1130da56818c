import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import {
  HISTORY_SECONDS,
  addRate,
  linePoints,
  meanRates,
  type RateSample,
  ratesBySecond,
} from '../src/parts/rate-history.ts'

const T0 = 1_800_000_000_000
const sample = (at: number, received: number): RateSample => ({ at: T0 + at, received, sent: received / 2 })
const historyOf = (samples: readonly RateSample[]): readonly RateSample[] =>
  samples.reduce<readonly RateSample[]>(addRate, [])

it('shows what flows without gaps, however late its samples come', () => {
  const late = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: HISTORY_SECONDS + 1, maxLength: 90 })
  fc.assert(
    fc.property(late, (delays) => {
      const history = historyOf(delays.map((delay, index) => sample(index * 1_000 + delay, 100)))
      for (const rate of ratesBySecond(history)) assert.deepEqual([rate.received, rate.sent], [100, 50])
    }),
  )
})

it('keeps a minute and one second, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300_000), { minLength: 1 }), (times) => {
      const history = historyOf(times.map((at) => sample(at, at)))
      assert.equal(history.at(-1)?.at, T0 + (times.at(-1) ?? 0))
      const ats = history.map(({ at }) => at)
      assert.deepEqual(
        ats,
        [...new Set(ats)].toSorted((one, other) => one - other),
      )
      assert.ok((ats.at(-1) ?? 0) - (ats[0] ?? 0) < 61_000)
      assert.equal(ratesBySecond(history).length, HISTORY_SECONDS)
    }),
  )
})

it('shows seconds without a sample as still', () => {
  const rates = ratesBySecond(
    historyOf([sample(0, 100), sample(1_000, 200), sample(10_000, 0), sample(11_000, 300)]),
    12,
  )
  assert.deepEqual(
    rates.map(({ received }) => received),
    [100, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 300],
  )
  assert.ok(ratesBySecond([]).every(({ sent, received }) => sent === 0 && received === 0))
})

it('gives the mean of each part', () => {
  const rates = [1, 3, 5, 7, 9].map((received) => ({ received, sent: 2 * received }))
  assert.deepEqual(meanRates(rates, 2), [
    { received: 2, sent: 4 },
    { received: 6, sent: 12 },
    { received: 9, sent: 18 },
  ])
})

it('draws lines within their box', () => {
  assert.equal(linePoints([0, 5, 10], 10, 100, 40), '0,40 50,20 100,0')
  assert.equal(linePoints([0, 0], 0, 100, 40), '0,40 100,40')
  const value = fc.double({ min: 0, max: 1e12, noNaN: true })
  fc.assert(
    fc.property(fc.array(value, { maxLength: 80 }), value, (values, most) => {
      const points = linePoints(values, most, 240, 48)
      assert.equal(points === '' ? 0 : points.split(' ').length, values.length)
      for (const point of points.split(' ').filter(Boolean)) {
        const [x = -1, y = -1] = point.split(',').map(Number)
        assert.ok(x >= 0 && x <= 240 && y >= 0 && y <= 48, point)
      }
    }),
  )
})
