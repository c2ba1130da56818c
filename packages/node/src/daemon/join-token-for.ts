import type { SigningKey } from '@weft/crypto'
import {
  type BootstrapNode,
  type InvitationLimits,
  type JoinToken,
  MAX_BOOTSTRAP_NODES,
  type NetworkFile,
  type Overlay,
  issueInvitation,
  networkOf,
  waysOf,
} from '@weft/overlay'

export interface JoinTokenInit {
  readonly network: NetworkFile
  /** Those of this node and of its person. */
  readonly keys: readonly SigningKey[]
  readonly overlay: Pick<Overlay, 'self' | 'membership'>
  readonly limits: InvitationLimits
}

/** Addresses of one node in a token: it is pasted by people. */
const MAX_TOKEN_ADDRESSES = 2

/**
 * A token by which others join: who to ask for the network file, and an invitation unless the network is open.
 * @throws WeftError E_NOT_INVITER
 */
export function joinTokenFor({ network: file, keys, overlay, limits }: JoinTokenInit): JoinToken {
  const network = networkOf(file)
  return {
    network: network.id,
    bootstrap: bootstrapNodes(file, overlay),
    invitation: waysOf(file.policy).includes('open') ? undefined : issueInvitation(network, keys, limits),
  }
}

/** This node, if it is a member, and validators: who joins needs one of them only. */
function bootstrapNodes({ validators }: NetworkFile, { self, membership }: JoinTokenInit['overlay']): BootstrapNode[] {
  const own = membership.member(self)
  const others = validators.filter(({ id }) => id !== own?.id)
  return [...(own === undefined ? [] : [own]), ...others]
    .slice(0, MAX_BOOTSTRAP_NODES)
    .map(({ id, addresses }) => ({ id, addresses: addresses.slice(0, MAX_TOKEN_ADDRESSES) }))
}
