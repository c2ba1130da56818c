import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { judgeSeats } from '../../src/terms/judge-seats.ts'
import { seatsOf } from '../../src/terms/recovery-value.ts'
import { orphans } from './orphans.ts'

const { electors } = orphans()
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

/** What an elector that hears `there` says of seats. */
function judge(
  seats: readonly number[],
  there: readonly number[],
  round = 0,
  revoked: readonly number[] = [],
  wanted = 16,
) {
  return judgeSeats(electors, wanted, seats, round, {
    isThere: (elector) => there.includes(elector),
    isRevoked: (elector) => revoked.includes(elector),
  })
}

describe('seats', () => {
  it('of exactly those that are heard are good', () => {
    assert.equal(judge(ALL, ALL), true)
    assert.equal(judge([0, 2, 4], [0, 2, 4]), true)
    assert.equal(judge([0, 1, 2, 3], ALL, 0, [], 4), true)
  })

  it('that pass over one that is heard are refused', () => {
    for (const left of ALL)
      assert.equal(
        judge(
          ALL.filter((one) => one !== left),
          ALL,
        ),
        false,
      )
    assert.equal(judge([0, 1, 2, 4], ALL, 0, [], 4), false)
  })

  it('of somebody who is not heard wait', () => {
    assert.equal(judge(ALL, ALL.slice(1)), undefined)
    // Until it is.
    assert.equal(judge(ALL, ALL), true)
  })

  it('of somebody who was ejected are refused, and passing over it is right', () => {
    assert.equal(judge(ALL, ALL, 31, [3]), false)
    assert.equal(
      judge(
        ALL.filter((one) => one !== 3),
        ALL,
        0,
        [3],
      ),
      true,
    )
  })

  it('are never more than there may be', () => {
    assert.equal(judge(ALL, ALL, 31, [], 4), false)
  })

  it('may differ in one elector more every four rounds, and never in more than may lie', () => {
    const seats = ALL.slice(2)
    assert.equal(judge(seats, ALL, 7), false)
    assert.equal(judge(seats, ALL, 8), true)
    const silent = ALL.slice(0, 10)
    assert.equal(judge(ALL, silent, 7), undefined)
    assert.equal(judge(ALL, silent, 8), true)
    // Three of the twelve may lie: nine and fewer seats, with two.
    assert.equal(judge(ALL, ALL.slice(0, 8), 31), undefined)
    assert.equal(judge(ALL.slice(4), ALL, 31), false)
  })

  it('are good for whoever hears as the proposer does; and one elector whom half of them hear does not keep them apart', () => {
    const views = fc.tuple(fc.subarray(ALL, { minLength: 1 }), fc.nat({ max: 11 }))
    fc.assert(
      fc.property(views, ([there, flapping]) => {
        const seats = seatsOf(electors, 16, (elector) => there.includes(elector))
        assert.equal(judge(seats, there), true)
        const otherView = there.includes(flapping) ? there.filter((one) => one !== flapping) : [...there, flapping]
        const verdict = judge(seats, otherView)
        assert.notEqual(verdict, true)
        // With fewer than four seats none may lie.
        if (seats.length >= 4) assert.equal(judge(seats, otherView, 4), true)
      }),
    )
  })
})
