import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StakeVerifier } from '../../src/admission/stake-verifier.ts'
import { invitationId } from '../../src/invitation/invitation.ts'
import type { InvitationSeats } from '../../src/invitation/invitation-seats.ts'
import { BEGIN, testKeys } from '../fixtures.ts'
import type { MemoryNode } from '../memory-network.ts'
import { DAY, apply, applicant } from './apply.ts'
import { invited, mixed, invitation } from './hostile/invited.ts'

test('what the policy asks for admits: an invitation, a proof of stake, and nothing for a validator of the file', async () => {
  assert.equal(await apply({ network: invited, proof: invitation() }), 'admitted')
  assert.equal(await apply({ network: invited, proof: invitation({ node: applicant.publicKey }) }), 'admitted')
  assert.equal(await apply({ network: mixed, proof: invitation({}, mixed) }), 'admitted')
  const seen: unknown[] = []
  const stake: StakeVerifier = { verify: async (proof, { id }) => void seen.push([...proof], id) }
  const staked = { way: 'stake', bytes: Uint8Array.of(7) } as const
  assert.equal(await apply({ network: mixed, proof: staked, stake }), 'admitted')
  assert.deepEqual(seen, [[7], applicant.id])
})

test('an invitation that others have used up is refused before anybody is dialled', async () => {
  const proof = invitation({ uses: 2 })
  const invitationName = invitationId(proof.envelope.payload)
  let dialled = false
  const prepare = (node: MemoryNode, seats: InvitationSeats): void => {
    for (const { publicKey } of testKeys(2))
      seats.take({ invitation: invitationName, uses: 2, key: publicKey }, BEGIN + DAY, false)
    node.rpc.handle('admission.challenge', async () => {
      dialled = true
      return {}
    })
  }
  assert.equal(await apply({ network: invited, proof, prepare }), 'E_INVITE_USED')
  assert.equal(dialled, false)
})
