import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Direction } from '../../src/health/leg-evidence.ts'
import { SimulatedWay } from './simulated-way.ts'

const TIERS = ['standard', 'high'] as const

/** Rests, flows at several rates and rests again, in all of which a tier delays and pads in other ways. @returns what was named, at any look */
function named(way: SimulatedWay): string[] {
  const found = new Set<string>()
  const look = (): void => {
    const { losses, delays, contradictions } = way.health.evidence(way.circuit.evidence, way.now)
    for (const { part, hop, direction } of losses) found.add(`loss ${part} ${hop} ${direction}`)
    for (const { hop, addedMs } of delays) found.add(`delay ${hop} ${Math.round(addedMs)} ms`)
    for (const { what } of contradictions) found.add(what)
  }
  for (const rate of [50, 200, 90, 20, 110, 400, 60]) {
    way.setRate(rate)
    way.run(15_000, look)
    way.setRate(0)
    way.run(15_000, look)
  }
  return [...found]
}

for (const tier of TIERS)
  test(`padding and delays of ${tier} are no loss, no delay and no lie of a hop`, () => {
    const way = new SimulatedWay(43, tier)
    assert.deepEqual(named(way), [])
    // So it is only as the health knows of the tier: some of these flows wait longer at their middle than others.
    assert.match(named(new SimulatedWay(43, tier, 'off')).join(), /^delay 2 /)
    const { paddingSent, paddingReceived, taken } = way.circuit.shaping!
    assert.ok(taken === tier && paddingSent > 1_000 && paddingReceived > 1_000, `${paddingSent} ${paddingReceived}`)
    for (const { health } of way.health.status(way.now)) assert.equal(health, 'green')
  })

test('padding that is lost with other cells is loss at its link, and no lie', () => {
  for (const tier of TIERS)
    for (const link of [0, 1, 2])
      for (const direction of ['forward', 'backward'] as const) {
        const way = new SimulatedWay(60 + link, tier)
        way.run(5_000)
        way.profiles[link]![direction].loss = 0.05
        way.run(3_000)
        const { losses, contradictions } = way.health.evidence(way.circuit.evidence, way.now)
        assert.deepEqual(
          losses.map(({ part, hop, direction: way }): [string, number, Direction] => [part, hop, way]),
          [['link', link, direction]],
          `${tier} ${link} ${direction}`,
        )
        assert.deepEqual(contradictions, [])
      }
})

for (const tier of TIERS)
  for (const hop of [0, 1, 2])
    test(`120 ms that hop ${hop} adds are placed there in ${tier}`, () => {
      const way = new SimulatedWay(20 + hop, tier)
      way.setRate(50)
      way.run(20_000)
      way.profiles[hop]!.forward.delayMs += 120
      way.run(4_000)
      const { delays } = way.health.evidence(way.circuit.evidence, way.now)
      assert.deepEqual(
        delays.map((delay) => delay.hop),
        [hop],
      )
      assert.ok(Math.abs(delays[0]!.addedMs - 120) < 30, `${delays[0]!.addedMs}`)
    })

test('a hop with a tier that invents cells beyond what it may pad is found', () => {
  const way = new SimulatedWay(31, 'high')
  way.run(2_000)
  way.liar = (hop, sample) =>
    hop === 1 ? { ...sample, hop: { ...sample.hop, sent: sample.hop.sent + 5_000 } } : sample
  way.run(2_000)
  const { contradictions } = way.health.evidence(way.circuit.evidence, way.now)
  assert.ok(contradictions.some(({ hops }) => hops.length === 1 && hops[0] === 1))
})
