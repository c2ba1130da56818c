import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MOST_OF_ONE } from '../../src/load/capped-use.ts'
import { FALL_MS, LoadGauge, RISE_MS, STEP_MARGIN, STEP_UP } from '../../src/load/load-gauge.ts'

const SECOND = 1_000
const SLOT = 10

/** A gauge that is fed once a second, and decides every ten. @returns the steps */
function stepsOf(uses: readonly number[]): number[] {
  const gauge = new LoadGauge()
  const steps: number[] = []
  for (const [second, use] of uses.entries()) {
    gauge.add(use, second * SECOND)
    if (second % SLOT === SLOT - 1) steps.push(gauge.decide(second * SECOND))
  }
  return steps
}

const during = (seconds: number, use: number): number[] => Array.from({ length: seconds }, () => use)

test('each step has its utilisation, and full is reached at once', () => {
  for (const [index, threshold] of STEP_UP.entries()) {
    assert.deepEqual(stepsOf(during(10, threshold - 0.01)), [index])
    assert.deepEqual(stepsOf(during(10, threshold)), [index + 1])
  }
  assert.deepEqual(stepsOf([...during(10, 0), ...during(10, 1)]), [0, 4])
})

test(`what was there for ${RISE_MS} ms before a slot counts in full`, () => {
  assert.deepEqual(stepsOf([...during(6, 0), ...during(4, 0.95)]), [4])
})

test('it falls one step at a time, once it has been below long enough', () => {
  assert.equal(FALL_MS, 20_000)
  assert.deepEqual(stepsOf([...during(20, 1), ...during(60, 0)]), [4, 4, 3, 2, 1, 0, 0, 0])
})

test('a burst of a second moves nothing', () => {
  const bursts = Array.from({ length: 200 }, (_, second) => (second % 9 === 0 ? 1 : 0.2))
  assert.deepEqual(new Set(stepsOf(bursts)), new Set([0]))
})

test('a thread that tells nothing any more is full', () => {
  const gauge = new LoadGauge()
  gauge.add(0, 0)
  assert.equal(gauge.decide(1_000), 0)
  assert.equal(gauge.decide(RISE_MS + 1), 4)
})

test('property: whatever one circuit does on top of what the others do, it moves the step across no threshold twice', () => {
  assert.ok(MOST_OF_ONE < STEP_MARGIN)
  // On for a while and off for a while, as an attacker does who looks for its path.
  const spell = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, MOST_OF_ONE / 2, MOST_OF_ONE))
  const one = fc
    .array(spell, { minLength: 4, maxLength: 12 })
    .map((spells) => spells.flatMap(([seconds, use]) => during(seconds, use)))
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000 }).map((part) => part / 1_000),
      one,
      (others, uses) => {
        const steps = stepsOf(uses.map((use) => others + use))
        // Crossed up and down again, or down and up again: a direction taken is kept.
        const changes = steps
          .slice(1)
          .flatMap((step, index) => (step === steps[index] ? [] : [step - (steps[index] as number)]))
        assert.ok(changes.every((change) => change > 0) || changes.every((change) => change < 0), steps.join(' '))
      },
    ),
    { numRuns: 500 },
  )
})
