import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PaddingDemand } from '../../src/circuit/padding-demand.ts'

/** Cells a second of each circuit, for so long that these are what is remembered. */
function wanting(rates: Readonly<Record<string, number>>): { demand: PaddingDemand<string>; now: number } {
  const demand = new PaddingDemand<string>()
  const now = 20_000
  for (const [circuit, rate] of Object.entries(rates))
    for (let at = 0; at < now; at += 1_000 / rate) demand.add(circuit, circuit.slice(0, 1), at)
  return { demand, now }
}

test('who wants most of the neighbour that wants most goes first, and no more go than must', () => {
  const { demand, now } = wanting({ a1: 100, b1: 90, b2: 60, c1: 20 })
  assert.deepEqual(demand.beyond(300, now), [])
  assert.deepEqual(demand.beyond(200, now), ['b1'])
  assert.deepEqual(demand.beyond(100, now), ['b1', 'a1'])
  assert.deepEqual(demand.beyond(0, now), ['b1', 'a1', 'b2', 'c1'])
})

test('what was wanted is forgotten in seconds, and with its circuit', () => {
  const { demand, now } = wanting({ a1: 100, b1: 100 })
  demand.delete('b1')
  assert.deepEqual(demand.beyond(110, now), [])
  assert.deepEqual(demand.beyond(10, now), ['a1'])
  assert.deepEqual(demand.beyond(10, now + 10_000), [])
})

test('a neighbour that wants no more than an equal part loses nothing by what others want', () => {
  const rates = fc.array(fc.integer({ min: 5, max: 150 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.array(rates, { minLength: 1, maxLength: 4 }), fc.integer({ min: 20, max: 500 }), (others, limit) => {
      const names = others.flatMap((each, at) => each.map((rate, of) => [`${'bcde'[at]}${of}`, rate] as const))
      const part = limit / (others.length + 1)
      const { demand, now } = wanting({ a1: 0.8 * part, ...Object.fromEntries(names) })
      const gone = demand.beyond(limit, now)
      assert.ok(!gone.includes('a1'))
      const left = names.filter(([name]) => !gone.includes(name)).reduce((sum, [, rate]) => sum + rate, 0.8 * part)
      assert.ok(left <= 1.2 * limit + 20, `${left} of ${limit}`)
    }),
    { numRuns: 50 },
  )
})
