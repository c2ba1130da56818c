import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import { isDoubtful } from '../../src/lookup/is-doubtful.ts'
import { closestMembers } from '../../src/records/closest-members.ts'
import { memberOf } from '../records/record-network.ts'

const random = seededRandom(11)
const members = Array.from({ length: 4_000 }, (_, at) => memberOf(toDidKey(random.bytes(32)), at))
const targets = Array.from({ length: 300 }, () => random.bytes(32))

/** How often members who name only every `part`-th of all are doubted. */
function doubted(part: number): number {
  const named = members.filter((_, at) => at % part === 0)
  return (
    targets.filter((to) => isDoubtful(closestMembers(named, to, 20), to, 20, members.length)).length / targets.length
  )
}

describe('doubt about a lookup', () => {
  it('is not cast on the truth', () => assert.equal(doubted(1), 0))

  it('is cast on nearly every list of a quarter of the members, and on most of a third', () => {
    assert.ok(doubted(4) > 0.95)
    assert.ok(doubted(3) > 0.7)
  })

  it('is cast on fewer members than there are', () => {
    const to = targets[0] as Uint8Array
    const few = members.slice(0, 10)
    const all = closestMembers(few, to, 20)
    assert.equal(isDoubtful(all, to, 20, 10), false)
    assert.equal(isDoubtful(all.slice(1), to, 20, 10), true)
    assert.equal(isDoubtful([], to, 20, 10), true)
    assert.equal(isDoubtful(closestMembers(members, to, 19), to, 20, 4_000), true)
  })
})
