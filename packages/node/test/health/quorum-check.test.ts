import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DidKey, SigningKey, shortId } from '@weft/crypto'
import { toleratedFaults } from '@weft/overlay'
import { quorumCheck } from '../../src/health/quorum-check.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

/** A network of so many seats of which the first are away. */
function look(count: number, away: readonly ('silent' | 'gone' | 'unknown')[] = [], number = 0) {
  const overlay = new FakeOverlay('did:key:zself')
  const ids: DidKey[] = Array.from({ length: count }, () => SigningKey.generate().id)
  const validators = ids.map((id) => ({ id, addresses: [], family: 'v' }))
  overlay.currentTerm = { ...overlay.currentTerm, number, validators, quorum: count - toleratedFaults(count) }
  for (const [at, how] of away.entries())
    overlay.seatStates.set(ids[at] as DidKey, {
      state: how === 'gone' ? 'silent' : how,
      inMap: how !== 'gone',
    })
  return { ...quorumCheck({ overlay }), names: ids.map((id) => `…${shortId(id)}`) }
}

test('all validators answer: nothing is wrong, and how many are needed is said', () => {
  const { tried, fault, notice } = look(4)
  assert.deepEqual([tried, fault, notice], ['4 of 4 validators answer, 3 needed', undefined, undefined])
  assert.equal(look(7, [], 2).tried, '7 of 7 validators answer, 5 needed; of term 2')
})

test('a network in which no validator may be down is worth a word, and no fault', () => {
  for (const count of [1, 2, 3]) {
    const { fault, notice, tried } = look(count)
    assert.deepEqual([fault, notice?.code], [undefined, 'E_QUORUM_FRAGILE'])
    assert.equal(tried, `${count} of ${count} validators answer, ${count} needed`)
    assert.equal(look(count, ['silent']).fault?.code, 'E_QUORUM_LOST')
  }
})

test('who is missing is named, and noted once none more may be', () => {
  const one = look(7, ['silent'])
  assert.deepEqual([one.fault, one.notice], [undefined, undefined])
  assert.equal(one.tried, `6 of 7 validators answer, 5 needed; missing: ${one.names[0]}`)
  const two = look(7, ['silent', 'gone'])
  assert.equal(
    two.tried,
    `5 of 7 validators answer, 5 needed; missing: ${two.names[0]}, ${two.names[1]} (left the map)`,
  )
  assert.deepEqual([two.fault, two.notice?.code], [undefined, 'E_QUORUM_FRAGILE'])
})

test('fewer than must sign are a fault, however few of them are known', () => {
  const { fault, notice, tried, names } = look(6, ['silent', 'gone', 'unknown'])
  assert.equal(
    tried,
    `3 of 6 validators answer, 5 needed; missing: ${names[0]}, ${names[1]} (left the map); not known of ${names[2]}`,
  )
  assert.deepEqual([fault?.code, notice], ['E_QUORUM_LOST', undefined])
  assert.match(fault?.cause ?? '', /^2 of the 6 .* 4 at most are left, and 5 must sign\./)
  assert.match(look(4, ['silent', 'silent', 'silent', 'silent']).fault?.fix ?? '', /network of this machine first/)
  // Whether others can take the seats is for the fault of the map to say: here it may not be promised.
  assert.match(look(4, ['silent', 'silent']).fault?.fix ?? '', /only where the map has more .* E_MAP_STALE/)
  // Of whom this node knows nothing, it says nothing bad.
  assert.equal(look(4, ['unknown', 'unknown', 'unknown']).fault, undefined)
})
