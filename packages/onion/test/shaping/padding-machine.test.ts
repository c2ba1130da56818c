import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { Padding } from '../../src/circuit/padding.ts'
import { exponential, uniform } from '../../src/shaping/distribution.ts'
import type { PaddingLimits } from '../../src/shaping/padding-budget.ts'
import { PaddingMachine, type PaddingEvent, type PaddingPlan } from '../../src/shaping/padding-machine.ts'
import { tierPlans } from '../../src/shaping/tier-plans.ts'

const EVENTS: readonly PaddingEvent[] = ['sent', 'received', 'paddingReceived', 'crowd', 'paddingSent', 'limit']

const ways = (states: number) =>
  fc.array(
    fc.record(
      { to: fc.nat(states - 1), chance: fc.double({ min: 0, max: 1, noNaN: true }) },
      { noNullPrototype: true },
    ),
    { maxLength: 3 },
  )
const state = (states: number) =>
  fc.record(
    {
      wait: fc.oneof(
        fc.integer({ min: 1, max: 50 }).map((scale) => exponential(scale, 10 * scale)),
        fc.constant(uniform(0, 0)),
        fc.integer({ min: 1, max: 50 }).map((most) => uniform(0, most)),
      ),
      count: fc.integer({ min: 0, max: 20 }).map((most) => uniform(0, most)),
      isSilent: fc.constant(true as const),
      on: fc.dictionary(fc.constantFrom(...EVENTS), ways(states)),
    },
    { requiredKeys: ['on'], noNullPrototype: true },
  )
const limits: fc.Arbitrary<PaddingLimits> = fc.record(
  {
    allowance: fc.integer({ min: 0, max: 50 }),
    perSecond: fc.integer({ min: 0, max: 200 }),
    ofReal: fc.double({ min: 0, max: 2, noNaN: true }),
  },
  { noNullPrototype: true },
)
const plan = fc
  .integer({ min: 1, max: 4 })
  .chain((states) => fc.record({ states: fc.array(state(states), { minLength: states, maxLength: states }), limits }))
const step = fc.record({ after: fc.double({ min: 0, max: 30, noNaN: true }), event: fc.nat(EVENTS.length - 3) })

/** Lives through the steps; checks the budget over every time from a padding cell to one behind it. */
function live(of: PaddingPlan, steps: readonly { after: number; event: number }[], seed: number): number {
  const { allowance, perSecond, ofReal } = of.limits
  const machine = new PaddingMachine(of, new Padding(seededRandom(seed)), 0)
  let [now, real, sent] = [0, 0, 0]
  // The least that was left below the bound's line so far: budgets hold from any moment on, not from the beginning alone.
  let lowest = 0
  for (const { after, event } of steps) {
    const until = now + after
    for (let turns = 0; machine.dueAt <= until && turns < 200; turns++) {
      now = Math.max(now, machine.dueAt)
      const line = (): number => sent - (now * perSecond) / 1_000 - real * ofReal
      lowest = Math.min(lowest, line())
      if (!machine.due(now)) continue
      sent++
      assert.ok(line() - lowest <= allowance + 1e-6, `${sent} sent by ${now} ms with ${real} real cells`)
    }
    now = until
    const told = EVENTS[event] as PaddingEvent
    machine.tell(told, now)
    if (told === 'sent') real++
    assert.ok(!Number.isNaN(machine.dueAt))
  }
  return sent
}

test('no machine sends more than its budget in any time, whatever it is told and whenever', () => {
  fc.assert(
    fc.property(
      plan,
      fc.array(step, { maxLength: 200 }),
      fc.nat(1_000),
      (made, steps, seed) => void live(made, steps, seed),
    ),
    { numRuns: 300 },
  )
})

test('nor do those of the tiers, and they do pad', () => {
  for (const tier of [tierPlans.standard, tierPlans.high])
    for (const place of ['client', 'middle', 'last'] as const) {
      const padding = tier?.[place].padding
      if (padding === undefined) continue
      let sent = 0
      fc.assert(
        fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), fc.nat(1_000), (steps, seed) => {
          sent += live(padding, steps, seed)
        }),
        { numRuns: 100 },
      )
      assert.ok(sent > 0, place)
    }
})

test('a machine without real cells rests where the tier is standard, and keeps to a low rate where it is high', () => {
  const idle = (of: PaddingPlan | undefined, seconds: number): number => {
    assert.ok(of !== undefined)
    const machine = new PaddingMachine(of, new Padding(seededRandom(5)), 0)
    let sent = 0
    while (machine.dueAt <= seconds * 1_000) if (machine.due(machine.dueAt)) sent++
    return sent
  }
  assert.equal(idle(tierPlans.standard?.client.padding, 3_600), 0)
  assert.equal(idle(tierPlans.standard?.middle.padding, 3_600), 0)
  const day = idle(tierPlans.high?.client.padding, 86_400)
  // 1.5 GB a day at most, and never nothing.
  assert.ok(day > 20_000 && day * 1_440 < 1.5e9, `${day} cells a day`)
})

test('an even flow shows no pause: cells and padding leave at times of one kind', () => {
  const padding = tierPlans.high?.client.padding
  assert.ok(padding !== undefined)
  const machine = new PaddingMachine(padding, new Padding(seededRandom(9)), 0)
  machine.tell('sent', 0)
  const first = machine.dueAt
  assert.ok(first >= 4 && first <= 16)
  machine.tell('sent', 1)
  machine.tell('received', 2)
  assert.equal(machine.dueAt, first)
})

test('a silent state passes its times without a cell, and has none due', () => {
  const machine = new PaddingMachine(
    {
      states: [
        { wait: uniform(10, 10), count: uniform(1, 1), isSilent: true, on: { limit: [{ to: 1, chance: 1 }] } },
        { wait: uniform(5, 5), on: {} },
      ],
      limits: { allowance: 10, perSecond: 0, ofReal: 0 },
    },
    new Padding(seededRandom(1)),
    0,
  )
  assert.deepEqual([machine.dueAt, machine.padAt, machine.due(10)], [10, Infinity, false])
  assert.deepEqual([machine.dueAt, machine.padAt, machine.due(15)], [15, 15, true])
})

test('a few cells set no machine of standard going, a flow that goes on does', () => {
  const padding = tierPlans.standard?.client.padding
  assert.ok(padding !== undefined)
  const padded = (cells: number, everyMs: number, seed: number): number => {
    const machine = new PaddingMachine(padding, new Padding(seededRandom(seed)), 0)
    let sent = 0
    for (let now = 0; now <= cells * everyMs + 1_000; now += everyMs) {
      while (machine.dueAt <= now) if (machine.due(machine.dueAt)) sent++
      if (now < cells * everyMs) machine.tell('sent', now)
    }
    return sent
  }
  for (let seed = 0; seed < 20; seed++) {
    assert.equal(padded(5, 10, seed), 0)
    assert.equal(padded(100, 200, seed), 0)
    assert.ok(padded(500, 20, seed) > 0, `${seed}`)
  }
})
