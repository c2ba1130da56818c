import type { JoinedNetwork } from '@weft/devnet'
import { formatTime } from './format.ts'

/** What whoever joined a network does next. */
export function joinWords(
  { isValidator, byBridge, invitation }: Pick<JoinedNetwork, 'isValidator' | 'byBridge' | 'invitation'>,
  home: string,
): string {
  const start = `weft start --home ${home}`
  if (byBridge)
    return `This node calls by its bridges and nobody else, and so is a client: it offers nothing. Next: ${start}`
  if (isValidator)
    return `This node is a validator of the network file and needs no invitation. Next: ${start} --roles validator,storage; without --roles where weft.toml has its roles.`
  if (invitation === undefined)
    return `The network is open. Next: ${start}, with --roles for what this node is to offer.`
  const { roles, expiresAt } = invitation
  const role = roles.includes('storage') ? 'storage' : (roles[0] ?? 'storage')
  return `Invited with the roles ${roles.join(', ')}, if this node applies until ${formatTime(expiresAt)}. Next: ${start} --roles ${role} (a daemon that runs already has to be started anew).`
}
