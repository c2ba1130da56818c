import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toleratedFaults } from '../../src/network/quorum.ts'
import { EPOCH, testNetwork } from '../fixtures.ts'
import { AgreementSimulation, type Fault, type SimulationOptions } from './agreement-simulation.ts'

const FIXTURES = new Map([1, 2, 3, 4, 7, 10].map((size) => [size, testNetwork(size, 0)]))

/** ms in which all must have decided once the network has settled. */
const LIMIT = 40 * EPOCH

/** Runs a network until all honest validators decided, the same and what is valid. */
export function simulate(
  size: number,
  options: Partial<SimulationOptions> & { readonly seed: number },
): AgreementSimulation {
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

/** Registers the tests of a network of so many validators, with so many runs each. */
export function testProperties(size: number, runs: number): void {
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

/** Registers the test of what only a lock prevents. */
export function testLocks(runs: number): void {
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
      { numRuns: runs },
    )
  })
}
