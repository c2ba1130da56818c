import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex, utf8 } from '@weft/core'
import { fromDidKey, sha256, toDidKey } from '@weft/crypto'
import { closestMembers } from '../../src/records/closest-members.ts'
import { placingOf, standing } from '../../src/records/placing.ts'
import { recordQuorum } from '../../src/records/quorum.ts'
import vectors from '../vectors/closest-holders.json' with { type: 'json' }
import { memberOf } from './record-network.ts'

test('closest-holders.json: the position of a member', () => {
  const { key, position } = vectors.position
  assert.equal(toHex(sha256(utf8('weft:position:v1\0'), fromHex(key))), position)
})

for (const { what, recordKey, members, holders } of vectors.cases) {
  test(`closest-holders.json: ${what}`, () => {
    const known = members.map(({ key, family, diversityAddress, ...entry }, at) => ({
      ...memberOf(toDidKey(fromHex(key)), at, { family, diversityAddress }),
      ...('position' in entry ? { position: fromHex(entry.position) } : {}),
    }))
    const map = { count: known.length, placed: known.filter((member) => 'position' in member).length }
    const closest = closestMembers(known, fromHex(recordKey), recordQuorum(standing(map)).holders, placingOf(map))
    assert.deepEqual(
      closest.map(({ id }) => toHex(fromDidKey(id))),
      holders,
    )
  })
}
