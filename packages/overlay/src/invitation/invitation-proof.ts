import { WeftError } from '@weft/core'
import { type SignedEnvelope, SigningKey, shortId, toDidKey, verifySignature } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import type { Network } from '../network/network.ts'
import { type Invitation, decodeInvitation, invitationId } from './invitation.ts'

/**
 * What a node shows to be admitted by an invitation. It is a chain of delegation (RFC 2693, section 2): the inviter signs
 * the invitation's key, and that key signs the node's. Validators see no secret: what they are shown admits this one
 * node, and is of no use to anybody else.
 */
export interface InvitationProof {
  readonly envelope: SignedEnvelope
  /** 64 bytes, by the invitation's key (purpose `invitation-use`). */
  readonly use: Uint8Array
}

const VERSION = 1

/** @param seed the secret half of the invitation's key; @param node 32 bytes, the public key of the node that joins */
export function proveInvitation(envelope: SignedEnvelope, seed: Uint8Array, node: Uint8Array): InvitationProof {
  return { envelope, use: new SigningKey(seed).sign('invitation-use', usedBytes(envelope.payload, node)) }
}

/**
 * The invitation, if it is of this network and signed by somebody who may invite. Whom it admits, and when, is for the
 * caller to judge.
 * @throws WeftError E_INVITE_MALFORMED, E_INVITE_NETWORK, E_INVITE_SIGNER, E_SIGNATURE_INVALID
 */
export function openInvitation(network: Network, { payload, signer, signature }: SignedEnvelope): Invitation {
  const invitation = decodeInvitation(payload)
  if (invitation.network !== network.id) {
    throw new WeftError({
      code: 'E_INVITE_NETWORK',
      cause: `The invitation is into the network ${invitation.network}; this is ${network.id}.`,
      fix: 'Join with a token of this network: weft network join -.',
    })
  }
  const id = toDidKey(signer)
  if (!network.isInviter(id)) {
    throw new WeftError({
      code: 'E_INVITE_SIGNER',
      cause: `The invitation is signed by …${shortId(id)}, who may not invite into this network.`,
      fix: 'Ask somebody who may invite for a token: weft network show lists them.',
    })
  }
  if (!verifySignature('invitation', payload, signature, signer)) {
    throw new WeftError({
      code: 'E_SIGNATURE_INVALID',
      cause: 'The invitation was changed after it was signed, or not signed by the inviter that it names.',
      fix: 'Join again with the token as it was printed: weft network join -.',
    })
  }
  return invitation
}

/** Whether whoever had the invitation's secret gave it to this node. */
export function isUsedBy({ envelope, use }: InvitationProof, { key }: Invitation, node: Uint8Array): boolean {
  return verifySignature('invitation-use', usedBytes(envelope.payload, node), use, key)
}

function usedBytes(payload: Uint8Array, node: Uint8Array): Uint8Array {
  return encodeCanonical([VERSION, invitationId(payload), node])
}
