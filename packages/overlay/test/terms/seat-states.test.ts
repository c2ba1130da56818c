import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { DidKey } from '@weft/crypto'
import { type SeatWitness, seatStates } from '../../src/terms/seat-states.ts'
import type { PeerState } from '../../src/overlay.ts'
import { testKeys } from '../fixtures.ts'

const [self, id] = testKeys(2).map((key) => key.id) as [DidKey, DidKey]
const NOBODY: ReadonlySet<DidKey> = new Set()
const IT: ReadonlySet<DidKey> = new Set([id])

function stateOf(changes: Partial<SeatWitness> & { readonly peer?: PeerState }): string {
  const { peer, ...rest } = changes
  const kept: SeatWitness['kept'] = () => (peer === undefined ? undefined : { state: peer })
  const nothing = {
    self,
    hasMap: true,
    isMember: () => true,
    kept,
    suspects: NOBODY,
    connected: NOBODY,
    signers: NOBODY,
  }
  const validators = [{ id, addresses: [], family: 'f' }]
  const [seat] = seatStates({ validators }, { ...nothing, ...rest })
  return `${seat?.state}${seat?.inMap === true ? '' : ', not in the map'}`
}

it('a seat is what this node sees of it, and else whether it signed the newest map', () => {
  const isMember = (): boolean => false
  assert.equal(stateOf({ self: id, isMember }), 'answers, not in the map')
  assert.equal(stateOf({ peer: 'connected' }), 'answers')
  assert.equal(stateOf({ peer: 'unreachable', signers: IT, connected: IT }), 'silent')
  assert.equal(stateOf({ peer: 'connected', suspects: IT }), 'silent')
  assert.equal(stateOf({ peer: 'connecting' }), 'unknown')
  assert.equal(stateOf({}), 'unknown')
  assert.equal(stateOf({ signers: IT }), 'answers')
})

it('a seat that left the map is missed, unless there are signs of life', () => {
  const isMember = (): boolean => false
  assert.equal(stateOf({ isMember }), 'silent, not in the map')
  assert.equal(stateOf({ isMember, peer: 'connected' }), 'silent, not in the map')
  assert.equal(stateOf({ isMember, connected: IT }), 'answers, not in the map')
  assert.equal(stateOf({ isMember, signers: IT }), 'answers, not in the map')
  assert.equal(stateOf({ isMember, hasMap: false }), 'unknown, not in the map')
})
