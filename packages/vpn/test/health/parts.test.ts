import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AskSchedule } from '../../src/health/ask-schedule.ts'
import { binomialTail } from '../../src/health/binomial-tail.ts'
import { CellRate } from '../../src/health/cell-rate.ts'
import { HopSilence } from '../../src/health/hop-silence.ts'
import { LegHealth } from '../../src/health/leg-health.ts'
import { Level } from '../../src/health/level.ts'
import { LossSeries } from '../../src/health/loss-series.ts'

/** Term by term. */
function tailBySum(hits: number, trials: number, p: number): number {
  let term = (1 - p) ** trials
  let below = 0
  for (let k = 0; k < hits; k++) {
    below += term
    term *= ((trials - k) / (k + 1)) * (p / (1 - p))
  }
  let sum = 0
  for (let k = hits; k <= trials; k++) {
    sum += term
    term *= ((trials - k) / (k + 1)) * (p / (1 - p))
  }
  return Math.min(sum, 1 - below + 1e-12)
}

test('the tail of the binomial distribution is the sum of its terms', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.nat(400),
      fc.double({ min: 0.001, max: 0.8, noNaN: true }),
      (trials, hits, p) => {
        const expected = tailBySum(Math.min(hits, trials), trials, p)
        const tail = binomialTail(Math.min(hits, trials), trials, p)
        assert.ok(Math.abs(tail - expected) <= 1e-9 + 1e-6 * expected, `${tail} ${expected}`)
      },
    ),
  )
  assert.equal(binomialTail(0, 10, 0.5), 1)
  assert.equal(binomialTail(11, 10, 0.5), 0)
  assert.ok(Math.abs(binomialTail(7, 7, 0.2) / 0.2 ** 7 - 1) < 1e-9)
  assert.ok(Math.abs(binomialTail(1_000_000, 20_000_000, 0.05) - 0.5) < 0.001)
})

test('totals that shrink count as none, more is never lost than was sent, and the window ends where it should', () => {
  const series = new LossSeries()
  series.add(0, { sent: 0, lost: 0 })
  series.add(1_000, { sent: 100, lost: 10 })
  series.add(2_000, { sent: 200, lost: 5 })
  assert.deepEqual(series.over(1_000), { sent: 100, lost: 0 })
  assert.deepEqual(series.over(5_000), { sent: 200, lost: 5 })
  series.add(3_000, { sent: 210, lost: 500 })
  assert.deepEqual(series.over(1_000), { sent: 10, lost: 10 })
  assert.equal(series.recent.lost, series.recent.sent)
  assert.deepEqual(series.surelyOver(1_000), { sent: 10, lost: 0 })
  series.restart()
  assert.deepEqual(series.over(5_000), { sent: 0, lost: 0 })
})

test('a level rises when a value stays, falls when it is well below its bound for long, and wavers in no case', () => {
  const level = new Level({ yellow: 2, red: 10 })
  assert.equal(level.update(5, 0), 'green')
  assert.equal(level.update(1, 300), 'green')
  assert.equal(level.update(5, 500), 'green')
  assert.equal(level.update(5, 900), 'yellow')
  assert.deepEqual([level.sinceMs, level.bound], [500, 2])
  for (let now = 1_000; now < 20_000; now += 100) assert.equal(level.update(1.5 + (now % 3), now), 'yellow')
  assert.equal(level.update(20, 20_000), 'yellow')
  assert.equal(level.update(20, 20_400), 'red')
  assert.equal(level.update(undefined, 60_000), 'red')
  assert.equal(level.update(0, 61_000), 'red')
  assert.equal(level.update(0, 65_900), 'red')
  assert.equal(level.update(0, 66_000), 'green')
})

test('hops are asked twice a second while cells flow, five times while something is amiss, every 10 s otherwise', () => {
  const asked = (cellsAMs: number, isSuspect: boolean): number => {
    const schedule = new AskSchedule(3)
    let [count, own] = [0, 0]
    for (let now = 0; now < 20_000; now += 10) {
      const cells = own + now * cellsAMs
      if (!schedule.isDue(now, cells, isSuspect)) continue
      count++
      schedule.asked(now, cells)
      own += 6
    }
    return count
  }
  assert.equal(asked(0.4, false), 40)
  assert.equal(asked(0.4, true), 100)
  assert.equal(asked(0, false), 2)
  assert.equal(asked(0, true), 2)
})

test('of a circuit with a tier hops are asked once more when cells flow no longer', () => {
  const asked = (asksOnce: boolean): number[] => {
    const schedule = new AskSchedule(3, asksOnce)
    const times: number[] = []
    for (let now = 0; now < 9_000; now += 50) {
      const cells = 6 * times.length + 0.4 * Math.min(now, 2_010)
      if (!schedule.isDue(now, cells, false)) continue
      times.push(now)
      schedule.asked(now, cells)
    }
    return times
  }
  assert.deepEqual(asked(false), [0, 500, 1_000, 1_500, 2_000])
  assert.deepEqual(asked(true), [0, 500, 1_000, 1_500, 2_000, 2_500])
})

test('a hop that answers no more is silent from its first question on that stands, and one that answers late is not', () => {
  const silence = new HopSilence(2)
  for (let now = 0; now <= 3_000; now += 500) {
    silence.asked(now)
    silence.answered(0, now, now + 40)
    if (now < 1_000) silence.answered(1, now, now + 60)
  }
  assert.equal(silence.since(0, 40, 3_100), undefined)
  assert.equal(silence.since(1, 60, 2_400), undefined)
  assert.equal(silence.since(1, 60, 3_100), 1_000)
  assert.equal(silence.since(1, 800, 3_100), undefined)
  assert.equal(silence.isOverdue(1, 60, 3_100), false)
  assert.equal(silence.isOverdue(1, 60, 3_140), true)
  assert.equal(silence.isOverdue(0, 40, 9_000), false)
  assert.equal(silence.upMs(1, 3_100), 3_040)
  silence.answered(1, 3_000, 3_600)
  assert.equal(silence.upMs(1, 3_700), 100)
})

test('the rate of a total follows it', () => {
  const rate = new CellRate()
  for (let second = 0; second <= 20; second++) rate.add(second * 1_000, second * 100)
  assert.equal(rate.bytesPerSecond, 144_000)
  rate.add(20_000, 5_000)
  rate.add(21_000, 1)
  assert.equal(rate.bytesPerSecond, 144_000)
  rate.add(40_000, 2_000)
  assert.ok(rate.bytesPerSecond < 100)
})

test('the first hop from which on none answers is red, and those behind it are not blamed', () => {
  const health = new LegHealth(3)
  const states = (now: number) => health.status(now).map((hop) => hop.health)
  assert.deepEqual(states(0), ['unknown', 'unknown', 'unknown'])
  for (const hop of [0, 1, 2]) health.onPong(hop, 20 * (hop + 1), 100)
  assert.deepEqual(states(100), ['green', 'green', 'green'])
  for (let now = 500; now <= 3_000; now += 500) health.onAsked(now, 0)
  for (const at of [2_500, 3_000]) health.onPong(0, 20, at + 20)
  assert.deepEqual(states(3_100), ['green', 'red', 'yellow'])
  assert.match(health.status(3_100)[1]!.reason, /^it does not answer, nor does any hop behind it, for 3 s$/)
  health.onPong(2, 60, 3_200)
  assert.deepEqual(states(3_200), ['green', 'yellow', 'green'])
  assert.match(health.status(3_200)[1]!.reason, /^it does not say what it counted, and hops behind it do/)
  assert.deepEqual(
    health.status(3_200).map(({ latencyMs }) => Math.round(latencyMs ?? -1)),
    [20, 20, 20],
  )
})
