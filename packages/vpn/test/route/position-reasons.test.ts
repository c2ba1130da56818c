import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DISCARD_REASONS } from '../../src/route/discard-reason.ts'
import { PositionReasons, codeOf } from '../../src/route/position-reasons.ts'
import { makeMember } from './make-member.ts'

const CONFLICTS = ['chosen', 'family', 'network', 'as'] as const
const ids = Array.from({ length: 400 }, (_, at) => makeMember(at + 1, []).id)

test('each reason comes back from its byte, a conflict with whom it is', () => {
  const reasons = new PositionReasons(ids)
  const others = DISCARD_REASONS.filter((each) => !(CONFLICTS as readonly string[]).includes(each))
  for (const [at, reason] of others.entries()) reasons.codes[at] = codeOf(reason as Parameters<typeof codeOf>[0])
  for (const [at, why] of CONFLICTS.entries()) reasons.codes[100 + at] = reasons.codeOfConflict(why, 200 + at)
  for (const [at, reason] of others.entries()) assert.deepEqual(reasons.at(at), { node: ids[at], reason, beside: '' })
  for (const [at, reason] of CONFLICTS.entries())
    assert.deepEqual(reasons.at(100 + at), { node: ids[100 + at], reason, beside: ids[200 + at] })
  assert.equal(reasons.at(399), undefined)
  assert.equal(reasons.list().length, DISCARD_REASONS.length)
  assert.deepEqual(
    reasons.counts,
    DISCARD_REASONS.map((reason) => ({ reason, count: 1 })),
  )
})

test('of more nodes than a byte tells apart the last ones are not named, and the reason still is', () => {
  const reasons = new PositionReasons(ids)
  for (let at = 0; at < 100; at++) reasons.codes[at] = reasons.codeOfConflict(at % 2 === 0 ? 'as' : 'chosen', 100 + at)
  const named = reasons.list().map(({ node, reason, beside }) => {
    assert.equal(reason, ids.indexOf(node) % 2 === 0 ? 'as' : 'chosen')
    assert.ok(beside === '' || ids.indexOf(beside) === ids.indexOf(node) + 100)
    return beside !== ''
  })
  // Legs have some twenty nodes at most.
  assert.ok(named.length === 100 && named.indexOf(false) > 40, `${named.indexOf(false)}`)
})
