import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '@weft/core'
import { EPOCH } from '../fixtures.ts'
import { simulate, testLocks, testProperties } from './agreement-properties.ts'

for (const size of [1, 2, 3, 4, 7, 10]) {
  test(`${size} validators of whom none fails agree in the first round`, () => {
    const simulation = simulate(size, { seed: size, delay: 5 })
    for (const { agreement } of simulation.honest.values()) {
      assert.equal(agreement.decision?.quorum.vote.round, 0)
      assert.equal((agreement.decision?.quorum.signatures.size ?? 0) >= simulation.set.quorum, true)
    }
  })
}

testProperties(4, 12)
testProperties(7, 4)
testProperties(10, 2)
testLocks(30)

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
