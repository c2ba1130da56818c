import { WeftError } from '@weft/core'
import { invitationId } from '../../../src/invitation/invitation.ts'
import type { InvitationProof } from '../../../src/invitation/invitation-proof.ts'
import type { InvitationSeats } from '../../../src/invitation/invitation-seats.ts'
import { BEGIN } from '../../fixtures.ts'
import type { MemoryNode } from '../../memory-network.ts'
import { DAY, type Applicant, type Hostile, stranger } from '../apply.ts'
import { type Invited, invited, mixed, invitation } from './invited.ts'

/** The same with other bytes in its envelope. */
function changed(part: Partial<InvitationProof['envelope']>): Invited {
  const proof = invitation()
  return { ...proof, envelope: { ...proof.envelope, ...part } }
}

/** Whom the policy of its network does not let in. */
export const NO_RIGHT: Record<string, readonly Hostile[]> = {
  policy: [
    { code: 'E_PROOF_NEEDED', applicant: { network: invited } },
    { code: 'E_PROOF_NEEDED', applicant: { network: invited, proof: { way: 'stake', bytes: new Uint8Array(9) } } },
    { code: 'E_INVITE_NETWORK', applicant: { network: invited, proof: invitation({}, mixed) } },
    { code: 'E_INVITE_SIGNER', applicant: { network: invited, proof: changed({ signer: stranger.publicKey }) } },
    { code: 'E_SIGNATURE_INVALID', applicant: { network: invited, proof: changed({ signature: new Uint8Array(64) }) } },
    { code: 'E_INVITE_HOLDER', applicant: { network: invited, proof: invitation({}, invited, stranger) } },
    { code: 'E_INVITE_BOUND', applicant: { network: invited, proof: invitation({ node: stranger.publicKey }) } },
    { code: 'E_INVITE_ROLES', applicant: { network: invited, proof: invitation({ roles: ['mailbox', 'relay'] }) } },
    { code: 'E_INVITE_EXPIRED', applicant: { network: invited, proof: invitation({ expiresAt: BEGIN + 1_000 }) } },
    { code: 'E_POLICY_UNAVAILABLE', applicant: { network: mixed, proof: { way: 'stake', bytes: new Uint8Array(9) } } },
    {
      code: 'E_STAKE_LOW',
      applicant: { network: mixed, proof: { way: 'stake', bytes: new Uint8Array(9) }, stake: { verify: tooLittle } },
    },
  ],
  seat: [{ code: 'E_INVITE_USED', applicant: { network: invited, ...seatTakenMeanwhile() } }],
}

async function tooLittle(): Promise<void> {
  throw new WeftError({ code: 'E_STAKE_LOW', cause: 'x', fix: 'y' })
}

/** Somebody else uses the same invitation while the applicant is challenged. */
function seatTakenMeanwhile(): Pick<Applicant, 'proof' | 'prepare'> {
  const proof = invitation()
  const request = { invitation: invitationId(proof.envelope.payload), uses: 1, key: stranger.publicKey }
  const prepare = (node: MemoryNode, seats: InvitationSeats): void => {
    node.rpc.handle('record.get', async () => {
      seats.take(request, BEGIN + DAY, false)
      return {}
    })
  }
  return { proof, prepare }
}
