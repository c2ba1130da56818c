import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { invitationId } from '../../invitation/invitation.ts'
import { type InvitationProof, isUsedBy, openInvitation } from '../../invitation/invitation-proof.ts'
import { waysOf } from '../../network/admission-policy.ts'
import type { AdmissionCase, AdmissionCheck } from '../admission-check.ts'
import { requiresProof } from '../requires-proof.ts'

/** The applicant shows what the policy of the network asks for. Validators of its file need nothing: it names them. */
export const policyCheck: AdmissionCheck = {
  name: 'policy',
  async run(admission, signal) {
    if (!requiresProof(admission)) return
    const { network, application, stake } = admission
    const { body, proof } = application
    const ways = waysOf(network.file.policy)
    if (proof === undefined || !ways.includes(proof.way)) throw proofNeeded(admission)
    if (proof.way === 'invite') {
      requireInvited(admission, proof)
      return
    }
    if (stake === undefined) throw stakeUnavailable()
    await stake.verify(proof.bytes, { networkId: network.id, id: body.id, roles: body.roles }, signal)
  },
}

function requireInvited(admission: AdmissionCase, proof: InvitationProof): void {
  const { network, application, seats, now, renewal } = admission
  const { body } = application
  const invitation = openInvitation(network, proof.envelope)
  if (!isUsedBy(proof, invitation, body.key)) {
    throw new WeftError({
      code: 'E_INVITE_HOLDER',
      cause: `The invitation was not given to the key of ${shortId(body.id)}: it was used for another node, or this node has a new key.`,
      fix: 'Join with a token of your own, in the home of this node: weft network join -.',
    })
  }
  if (invitation.node !== undefined && Buffer.compare(invitation.node, body.key) !== 0) {
    throw new WeftError({
      code: 'E_INVITE_BOUND',
      cause: `The invitation is for one node, which ${shortId(body.id)} is not.`,
      fix: 'Ask for an invitation for this node: weft network invite --for with the id that weft id prints here.',
    })
  }
  const others = body.roles.filter((role) => !invitation.roles.includes(role)).join(', ')
  if (others !== '') {
    throw new WeftError({
      code: 'E_INVITE_ROLES',
      cause: `The invitation is for the roles ${invitation.roles.join(', ')}; the node asks for ${others} as well.`,
      fix: `Take ${others} out of the roles of this node (--roles), or ask for an invitation with that: weft network invite --roles.`,
    })
  }
  const { uses } = invitation
  const seat = { invitation: invitationId(proof.envelope.payload), uses, key: body.key }
  if (now >= invitation.expiresAt && !renewal && seats.of(seat)?.joined !== true) {
    throw new WeftError({
      code: 'E_INVITE_EXPIRED',
      cause: `The invitation ended at ${new Date(invitation.expiresAt).toISOString()}.`,
      fix: 'Ask whoever invited you for a new token (weft network invite), and join with it: weft network join -.',
    })
  }
  seats.requireFree(seat)
}

function proofNeeded({ network, application: { body } }: AdmissionCase): WeftError {
  const ways = waysOf(network.file.policy)
  const asked = ways.map((way) => (way === 'invite' ? 'an invitation' : 'a proof of stake')).join(' or ')
  return new WeftError({
    code: 'E_PROOF_NEEDED',
    cause: `The network ${network.file.name} admits nodes by ${asked}, and ${shortId(body.id)} shows none.`,
    fix: ways.includes('invite')
      ? 'Ask somebody who may invite for a token (weft network invite), and join with it: weft network join -.'
      : 'Stake for this node on the ledger of the network.',
  })
}

function stakeUnavailable(): WeftError {
  return new WeftError({
    code: 'E_POLICY_UNAVAILABLE',
    cause: 'This validator cannot judge proofs of stake: its version has no ledger.',
    fix: 'Join by an invitation where the policy takes one (weft network show tells), or wait until the validators are updated.',
  })
}
