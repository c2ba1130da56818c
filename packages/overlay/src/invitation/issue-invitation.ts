import { WeftError } from '@weft/core'
import { type SignedEnvelope, SigningKey, sealEnvelope, shortId } from '@weft/crypto'
import { waysOf } from '../network/admission-policy.ts'
import type { Network } from '../network/network.ts'
import { type Invitation, decodeInvitation, encodeInvitation } from './invitation.ts'

/** What an inviter decides. */
export type InvitationLimits = Pick<Invitation, 'roles' | 'uses' | 'expiresAt' | 'node'>

/** A signed invitation with the secret that lets it be used. */
export interface IssuedInvitation {
  readonly invitation: Invitation
  readonly envelope: SignedEnvelope
  /** 32 secret bytes: the seed of the invitation's key. */
  readonly seed: Uint8Array
}

/**
 * Makes an invitation and signs it with the first of `keys` whose invitations count in this network.
 * @throws WeftError E_NOT_INVITER, E_INVITE_MALFORMED when it breaks a limit
 */
export function issueInvitation(
  network: Network,
  keys: readonly SigningKey[],
  limits: InvitationLimits,
): IssuedInvitation {
  const signer = keys.find(({ id }) => network.isInviter(id))
  if (signer === undefined) throw notInviter(network, keys)
  const key = SigningKey.generate()
  const payload = encodeInvitation({ network: network.id, key: key.publicKey, ...limits })
  const invitation = decodeInvitation(payload)
  return { invitation, envelope: sealEnvelope('invitation', payload, signer), seed: key.seed() }
}

function notInviter({ file }: Network, keys: readonly SigningKey[]): WeftError {
  const own = keys.map(({ id }) => `…${shortId(id)}`).join(' and ')
  const who = file.inviters === undefined ? 'each validator' : `${file.inviters.length} keys that its file names`
  return new WeftError({
    code: 'E_NOT_INVITER',
    cause: waysOf(file.policy).includes('invite')
      ? `In the network ${file.name} ${who} may invite; ${own} may not.`
      : `The network ${file.name} admits nobody by invitation: its policy is ${waysOf(file.policy).join(' or ')}.`,
    fix: 'Ask somebody who may: weft network show lists the policy and who may invite.',
  })
}
