import type { Invitation } from '../../../src/invitation/invitation.ts'
import { type InvitationProof, proveInvitation } from '../../../src/invitation/invitation-proof.ts'
import { issueInvitation } from '../../../src/invitation/issue-invitation.ts'
import { parseNetworkFile } from '../../../src/network/network-file.ts'
import { type Network, networkOf } from '../../../src/network/network.ts'
import { BEGIN } from '../../fixtures.ts'
import { DAY, fixture, validator, applicant } from '../apply.ts'

/** The network of the fixture with another policy. */
function withPolicy(policy: unknown): Network {
  return networkOf(parseNetworkFile(JSON.stringify({ ...fixture.network.file, policy })))
}

export const invited = withPolicy('invite')
export const mixed = withPolicy(['stake', 'invite'])

export type Invited = { readonly way: 'invite' } & InvitationProof

/** The proof of an applicant that was invited by a validator. */
export function invitation(changes: Partial<Invitation> = {}, network = invited, user = applicant): Invited {
  const limits = { roles: ['storage'] as const, uses: 1, expiresAt: BEGIN + DAY, node: undefined, ...changes }
  const { envelope, seed } = issueInvitation(network, [validator], limits)
  return { way: 'invite', ...proveInvitation(envelope, seed, user.publicKey) }
}
