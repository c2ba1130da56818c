import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { quorumOf, toleratedFaults } from '../../src/network/quorum.ts'

test('the numbers of the design', () => {
  assert.deepEqual([1, 2, 3, 4, 7, 10, 64].map(quorumOf), [1, 2, 3, 3, 5, 7, 43])
  assert.deepEqual([1, 2, 3, 4, 64].map(toleratedFaults), [0, 0, 0, 1, 21])
})

test('two quorums share an honest validator, and the honest ones make a quorum', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), (n) => {
      const [q, f] = [quorumOf(n), toleratedFaults(n)]
      return 2 * q - n > f && n - f >= q
    }),
  )
})
