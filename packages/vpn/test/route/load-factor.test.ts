import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LoadStep } from '@weft/overlay'
import { loadFactor, usualStep } from '../../src/route/load-factor.ts'

const steps = fc.option(fc.constantFrom<LoadStep>(0, 1, 2, 3, 4), { nil: undefined })
const usuals = fc.constantFrom<LoadStep>(0, 1, 2, 3, 4)

test('who is above the usual step gets less with each, and a full one next to nothing while others are not', () => {
  const factors = ([0, 1, 2, 3, 4] as const).map((step) => loadFactor(step, 0))
  for (const [index, factor] of factors.slice(1).entries()) assert.ok(factor < 0.5 * (factors[index] as number))
  assert.ok((factors[4] as number) < 0.001 * (factors[0] as number))
  assert.equal(loadFactor(4, 4), loadFactor(3, 4))
})

test('property: no word of a node gives it more than an honest one at the usual step has, nor has one that is not known less', () => {
  fc.assert(
    fc.property(steps, usuals, (step, usual) => {
      const factor = loadFactor(step, usual)
      assert.ok(factor > 0 && factor <= 1)
      assert.ok(factor <= loadFactor(usual, usual))
      assert.equal(loadFactor(undefined, usual), loadFactor(usual, usual))
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
