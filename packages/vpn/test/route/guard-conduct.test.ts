import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { GuardConduct } from '../../src/route/guard-conduct.ts'
import { makeMember } from './make-member.ts'

const DAY = 24 * 60 * 60_000
const [one, two, three] = [1, 2, 3].map((index) => makeMember(index, ['entry']).id) as [DidKey, DidKey, DidKey]
const GUARDS = [one, two, three]

function conductOf(...of: readonly (readonly [DidKey, held: number, lost: number])[]): GuardConduct {
  const conduct = new GuardConduct()
  for (const [id, held, lost] of of) {
    for (let time = 0; time < held; time++) conduct.onHeld(id, 0)
    for (let time = 0; time < lost; time++) conduct.onLost(id, false, 0)
  }
  return conduct
}

test('a guard that loses half of twenty circuits is doubted, fewer or less are chance', () => {
  assert.equal(conductOf([one, 10, 10]).isDoubted(one, GUARDS, 0), true)
  assert.equal(conductOf([one, 0, 19]).isDoubted(one, GUARDS, 0), false)
  assert.equal(conductOf([one, 11, 9]).isDoubted(one, GUARDS, 0), false)
  assert.equal(conductOf([one, 0, 20]).isDoubted(two, GUARDS, 0), false)
})

test('a circuit that is lost after it stood does not count as one that held', () => {
  const conduct = conductOf([one, 20, 0])
  for (let time = 0; time < 9; time++) conduct.onLost(one, true, 0)
  assert.equal(conduct.isDoubted(one, GUARDS, 0), false)
  conduct.onLost(one, true, 0)
  assert.equal(conduct.isDoubted(one, GUARDS, 0), true)
})

test('where all others are known to do no better it is none of the guards; one that does is enough', () => {
  assert.equal(conductOf([one, 0, 20], [two, 0, 10], [three, 4, 6]).isDoubted(one, GUARDS, 0), false)
  assert.equal(conductOf([one, 0, 20], [two, 0, 10], [three, 5, 5]).isDoubted(one, GUARDS, 0), true)
  assert.equal(conductOf([one, 0, 20], [two, 0, 10]).isDoubted(one, GUARDS, 0), true, 'not all are known')
  assert.equal(conductOf([one, 0, 20]).isDoubted(one, [one], 0), true)
})

test('what counts is how it does of late, and after a week without it begins anew', () => {
  const conduct = conductOf([one, 1_000, 0])
  for (let time = 0; time < 60; time++) conduct.onLost(one, false, DAY)
  assert.equal(conduct.isDoubted(one, GUARDS, DAY), true)
  assert.equal(conduct.isDoubted(one, GUARDS, 8 * DAY - 1), true)
  assert.equal(conduct.isDoubted(one, GUARDS, 8 * DAY), false)
})

test('a guard that loses less than a third is never doubted, whatever comes in which order', () => {
  const lost = fc.array(fc.nat(2), { maxLength: 300 })
  fc.assert(
    fc.property(lost, (times) => {
      const conduct = new GuardConduct()
      for (const at of times) {
        // Of each three one at most.
        for (let i = 0; i < 3; i++) {
          if (i === at && i < 2) conduct.onLost(one, false, 0)
          else conduct.onHeld(one, 0)
          assert.equal(conduct.isDoubted(one, GUARDS, 0), false)
        }
      }
    }),
    { numRuns: 50 },
  )
})
