import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LoadStep } from '@weft/overlay'
import { exitShare, usualStep } from '../../src/route/exit-share.ts'

const steps = fc.option(fc.constantFrom<LoadStep>(0, 1, 2, 3, 4), { nil: undefined })
const usuals = fc.constantFrom<LoadStep>(0, 1, 2, 3, 4)
const some = fc.option(fc.double({ min: -10, max: 1e7, noNaN: true }), { nil: undefined })

test('who is above the usual step gets less with each, and a full one next to nothing while others are not', () => {
  const weights = ([0, 1, 2, 3, 4] as const).map((step) => exitShare(step, 200))
  for (const [index, weight] of weights.slice(1).entries()) assert.ok(weight < 0.5 * (weights[index] as number))
  assert.ok((weights[4] as number) < 0.001 * (weights[0] as number))
  assert.equal(exitShare(4, 200, 0, 4), exitShare(3, 200, 0, 4))
})

test('weights follow what was measured of a node, within bounds, and the wait that a client finds itself', () => {
  assert.equal(exitShare(0, 400), 4 * exitShare(0, 100))
  assert.equal(exitShare(0), exitShare(0, 100))
  assert.equal(exitShare(0, 1_000_000), exitShare(0, 1_000))
  assert.equal(exitShare(0, 0), exitShare(0, 10))
  assert.equal(exitShare(0, 100, 20), exitShare(0, 100) / 2)
})

test('property: no word of a node gives it more than an honest one at the usual step has, nor has one that is not known less', () => {
  fc.assert(
    fc.property(steps, some, some, usuals, (step, capacity, delay, usual) => {
      const weight = exitShare(step, capacity, delay, usual)
      assert.ok(weight > 0 && Number.isFinite(weight))
      assert.ok(weight <= exitShare(usual, capacity, delay, usual))
      assert.equal(exitShare(undefined, capacity, delay, usual), exitShare(usual, capacity, delay, usual))
    }),
  )
})

test('the usual step is that of half of the capacity, whatever a minority says', () => {
  assert.equal(usualStep([]), 0)
  assert.equal(usualStep([{ step: undefined }]), 0)
  assert.equal(usualStep([{ step: 3 }, { step: 3 }, { step: 0 }]), 3)
  assert.equal(
    usualStep([
      { step: 3, claimedCapacity: 100 },
      { step: 1, claimedCapacity: 300 },
      { step: 4, claimedCapacity: 100 },
    ]),
    1,
  )
  fc.assert(
    fc.property(usuals, fc.array(usuals, { maxLength: 4 }), (honest, liars) => {
      const all = [...liars, ...Array.from({ length: 5 }, () => honest)].map((step) => ({ step }))
      assert.equal(usualStep(all), honest)
    }),
  )
})
