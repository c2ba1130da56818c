import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortId } from '@weft/crypto'
import { CIRCUIT_OWED, CircuitReason } from '@weft/onion'
import { circuitFault, isOwed } from '../../src/engine/circuit-fault.ts'
import { makeMember } from '../route/make-member.ts'

test('an exit that does not know a session is not told as lost: it is there', () => {
  const exit = makeMember(1, ['exit'])
  const node = `The exit …${shortId(exit.id)}`
  assert.equal(
    circuitFault(CircuitReason.sessionUnknown, exit, 'exit').cause,
    `${node} did not take this leg: the session is not known, or takes no further circuit.`,
  )
  assert.equal(circuitFault(CircuitReason.linkLost, exit, 'exit').cause, `${node} was lost: link lost.`)
})

test('that this side had no payment for a hop is another thing than what the hop says', () => {
  const entry = makeMember(1, ['entry'])
  assert.ok(isOwed(circuitFault(CIRCUIT_OWED, entry, 'entry')))
  assert.ok(!isOwed(circuitFault(CircuitReason.unpaid, entry, 'entry')))
})
