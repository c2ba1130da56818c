import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { DelaySeries } from '../../src/health/delay-series.ts'
import { SimulatedWay } from './simulated-way.ts'

for (const hop of [0, 1, 2])
  test(`50 ms that hop ${hop} adds are placed there`, () => {
    const way = new SimulatedWay(20 + hop)
    way.rate = 50
    way.run(16_000)
    assert.deepEqual(way.health.evidence(way.circuit.evidence, way.now).delays, [])
    way.profiles[hop]!.forward.delayMs += 50
    way.run(3_000)
    const { delays, losses } = way.health.evidence(way.circuit.evidence, way.now)
    assert.deepEqual(
      delays.map((delay) => delay.hop),
      [hop],
    )
    assert.ok(Math.abs(delays[0]!.addedMs - 50) < 5)
    assert.deepEqual(losses, [])
    way.run(500)
    const status = way.health.status(way.now)
    assert.deepEqual(
      status.map(({ health }) => health),
      [0, 1, 2].map((at) => (at === hop ? 'yellow' : 'green')),
    )
    assert.match(status[hop]!.reason, /^50 ms slower than before, it or the link before it \(bound 25\), for \d s$/)
  })

function fraction(random: ReturnType<typeof seededRandom>): number {
  return new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32
}

test('times that vary as they always did are no delay, be they never so wide', () => {
  const random = seededRandom(4)
  let [named, looks] = [0, 0]
  for (let series = 0; series < 20; series++) {
    const delays = new DelaySeries()
    for (let at = 0; at < 1_000; at++) {
      delays.add(20 - 30 * Math.log(1 - fraction(random)), 500 * at)
      if (delays.added?.sinceMs === 500 * at) named++
      looks++
    }
    assert.ok(delays.jitterMs! > 15 && delays.jitterMs! < 60, `${delays.jitterMs}`)
    assert.ok(delays.latencyMs! > 20 && delays.latencyMs! < 120, `${delays.latencyMs}`)
  }
  // One in 100,000 looks.
  assert.ok(named <= 1, `${named} of ${looks}`)
})

test('a delay is over when it is gone, and what stays for a minute is the usual', () => {
  const delays = new DelaySeries()
  let now = 0
  const feed = (ms: number, count: number): void => {
    for (let i = 0; i < count; i++) delays.add(ms + (i % 3), (now += 500))
  }
  feed(20, 40)
  feed(60, 5)
  assert.equal(delays.added, undefined)
  feed(60, 2)
  assert.ok(delays.added !== undefined)
  feed(20, 6)
  assert.equal(delays.added, undefined)
  feed(20, 30)
  feed(90, 100)
  assert.ok(delays.added !== undefined)
  feed(90, 40)
  assert.equal(delays.added, undefined)
  feed(90, 100)
  assert.equal(delays.added, undefined)
})

test('a few ms more are not named', () => {
  const delays = new DelaySeries()
  for (let i = 0; i < 40; i++) delays.add(20, i)
  for (let i = 0; i < 20; i++) delays.add(29, 40 + i)
  assert.equal(delays.added, undefined)
})
