import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { LostLeg } from '../../src/engine/path-set.ts'
import { RouteNodes } from '../../src/engine/route-nodes.ts'
import { makeMember } from '../route/make-member.ts'
import { testChoice } from '../route/test-choice.ts'

/** Whether a guard is doubted after forty path sets that began at it were lost in this way. */
function isDoubted(how: Partial<LostLeg>): boolean {
  const clock = new VirtualClock()
  const members = [
    ...Array.from({ length: 10 }, (_, at) => makeMember(1 + at, ['entry'])),
    makeMember(100, ['relay']),
    makeMember(200, ['exit']),
  ]
  const choice = testChoice({ clock })
  choice.setMembers(members)
  const nodes = new RouteNodes({ clock, choice, unreachable: new Set() })
  const { hops } = nodes.choose([], {})
  const lost = { culprit: hops[2], hops, isRefused: false, entryAnswered: true, wasReady: true, ...how }
  return Array.from({ length: 40 }, () => nodes.judgeGuard(lost)).some((guard) => guard === hops[0])
}

test('what is lost behind a guard counts against it, but not an exit of which relays of two legs agree that it is gone', () => {
  assert.equal(isDoubted({}), true)
  assert.equal(isDoubted({ isAgreed: true }), false)
  assert.equal(isDoubted({ isByExit: true }), false)
})
