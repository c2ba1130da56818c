import type { JoinedNetwork } from '@weft/devnet'
import { formatTime } from './format.ts'

/** How a validator is started: with the roles that it has, which --roles would replace. @param configured undefined where none are said */
export function validatorStart(home: string, configured: readonly string[] | undefined): string {
  const start = `weft start --home ${home}`
  if (configured === undefined || configured.length === 0) return `${start} --roles validator,storage`
  return configured.includes('validator') ? start : `${start} --roles ${['validator', ...configured].join(',')}`
}

/** What whoever joined a network does next. @param configured the roles that weft.toml gives; undefined where it says nothing of them */
export function joinWords(
  { isValidator, byBridge, invitation }: Pick<JoinedNetwork, 'isValidator' | 'byBridge' | 'invitation'>,
  home: string,
  configured: readonly string[] | undefined,
): string {
  const start = `weft start --home ${home}`
  if (byBridge)
    return `This node calls by its bridges and nobody else, and so is a client: it offers nothing. Next: ${start}`
  if (isValidator)
    return `This node is a validator of the network file and needs no invitation. Next: ${validatorStart(home, configured)}`
  if (invitation === undefined)
    return configured === undefined
      ? `The network is open. Next: ${start}, with --roles for what this node is to offer.`
      : `The network is open. Next: ${start}`
  const { roles, expiresAt } = invitation
  const role = roles.includes('storage') ? 'storage' : (roles[0] ?? 'storage')
  return `Invited with the roles ${roles.join(', ')}, if this node applies until ${formatTime(expiresAt)}. Next: ${start}${configured === undefined ? `, with --roles ${role} to offer that; without it is a client and offers nothing` : ''} (a daemon that runs already has to be started anew).`
}
