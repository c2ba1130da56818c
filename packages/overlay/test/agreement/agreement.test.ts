import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '@weft/core'
import { toleratedFaults } from '../../src/network/quorum.ts'
import { EPOCH, testNetwork } from '../fixtures.ts'
import { AgreementSimulation, type Fault, type SimulationOptions } from './agreement-simulation.ts'

const FIXTURES = new Map([1, 2, 3, 4, 7, 10].map((size) => [size, testNetwork(size, 0)]))

/** ms in which all must have decided once the network has settled. */
const LIMIT = 40 * EPOCH

function simulate(size: number, options: Partial<SimulationOptions> & { readonly seed: number }): AgreementSimulation {
  const fixture = FIXTURES.get(size) as ReturnType<typeof testNetwork>
  const simulation = new AgreementSimulation({
    fixture,
    faults: new Map(),
    stable: 0,
    delay: 50,
    restarts: 0,
    ...options,
  })
  assert.ok(simulation.run(LIMIT), 'all honest validators decide')
  const decisions = simulation.decisions()
  assert.equal(decisions.size, 1, `they decide the same: ${[...decisions].join(' ')}`)
  assert.ok([...decisions][0]?.startsWith('01'), 'and only what is valid')
  return simulation
}

/** The last f of a shuffled order of validators. */
function faultsOf(size: number, count: number, kinds: readonly Fault[]): fc.Arbitrary<Map<number, Fault>> {
  return fc
    .record({
      order: fc.shuffledSubarray(
        Array.from({ length: size }, (_, index) => index),
        { minLength: count, maxLength: count },
      ),
      kinds: fc.array(fc.constantFrom(...kinds), { minLength: count, maxLength: count }),
    })
    .map(({ order, kinds: chosen }) => new Map(order.map((index, at) => [index, chosen[at] as Fault])))
}

for (const size of [1, 2, 3, 4, 7, 10]) {
  test(`${size} validators of whom none fails agree in the first round`, () => {
    const simulation = simulate(size, { seed: size, delay: 5 })
    for (const { agreement } of simulation.honest.values()) {
      assert.equal(agreement.decision?.quorum.vote.round, 0)
      assert.equal((agreement.decision?.quorum.signatures.size ?? 0) >= simulation.set.quorum, true)
    }
  })
}

for (const [size, runs] of [
  [4, 25],
  [7, 8],
  [10, 3],
] as const) {
  const most = toleratedFaults(size)
  const settings = {
    seed: fc.nat(),
    stable: fc.nat({ max: 6 * EPOCH }),
    delay: fc.integer({ min: 1, max: EPOCH / 5 }),
  }

  test(`${size} validators: loss, delay, doubles and restarts before the network settles, ${most} crashed`, () => {
    const faults = faultsOf(size, most, ['crashed'])
    fc.assert(
      fc.property(fc.record({ ...settings, faults, restarts: fc.nat({ max: 6 }) }), (options) => {
        simulate(size, options)
      }),
      { numRuns: runs },
    )
  })

  test(`${size} validators: ${most} of them lie or are silent`, () => {
    const faults = faultsOf(size, most, ['liar', 'liar', 'crashed'])
    fc.assert(
      fc.property(fc.record({ ...settings, faults, restarts: fc.nat({ max: 3 }) }), (options) => {
        simulate(size, options)
      }),
      { numRuns: runs },
    )
  })
}

test('one that decided alone, and that nobody hears, is not contradicted by what liars talk the others into', () => {
  const options = fc.record({
    seed: fc.nat(),
    stable: fc.integer({ min: EPOCH, max: 5 * EPOCH }),
    liar: fc.constantFrom(0, 1, 2, 3),
    after: fc.constantFrom(1, 2, 3),
  })
  fc.assert(
    fc.property(options, ({ liar, after, ...rest }) => {
      simulate(4, { ...rest, faults: new Map([[liar, 'liar']]), muted: (liar + after) % 4 })
    }),
    { numRuns: 60 },
  )
})

test('the same seed makes the same run', () => {
  const options = { seed: 5, stable: 3 * EPOCH, restarts: 3, faults: new Map([[2, 'liar' as const]]) }
  const [one, other] = [simulate(4, options), simulate(4, options)]
  assert.equal(one.now, other.now)
  assert.deepEqual(
    [...one.honest.values()].map(({ agreement }) => toHex(agreement.decision?.quorum.payload ?? new Uint8Array())),
    [...other.honest.values()].map(({ agreement }) => toHex(agreement.decision?.quorum.payload ?? new Uint8Array())),
  )
})

test('who lies is found out', () => {
  const simulation = simulate(4, { seed: 1, stable: 0, faults: new Map([[3, 'liar']]) })
  const evidence = [...simulation.honest.values()].flatMap((node) => node.evidence)
  assert.ok(evidence.length > 0)
  assert.ok(evidence.every(({ validator }) => validator === 3))
})
