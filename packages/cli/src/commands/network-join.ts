import { joinNetwork } from '@weft/devnet'
import { ownHomeOf } from '../daemon/home.ts'
import { formatTime } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'
import { secretArgument } from '../program/secret-argument.ts'

/** Characters of a join token, with room. */
const MAX_LINE = 8 * 1024

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const home = ownHomeOf(invocation)
  const token = await secretArgument(invocation, {
    name: 'join token',
    limit: MAX_LINE,
    source: 'weft network invite',
  })
  const joined = await joinNetwork({ token, home, signal })
  const { id, name, path, node, invitation } = joined
  output.document({ id, name, path, node, invitation: invitation ?? null })
  output.print(`network  ${name} (${id})`, `file     ${path}`, `node     ${node}`)
  output.note(
    invitation === undefined
      ? `The network is open. Next: weft start --home ${home}, with --roles for what this node is to offer.`
      : `Invited with the roles ${invitation.roles.join(', ')}, if this node applies until ${formatTime(invitation.expiresAt)}. Next: weft start --home ${home} --roles ${invitation.roles.includes('storage') ? 'storage' : (invitation.roles[0] ?? 'storage')} (a daemon that runs already has to be started anew).`,
  )
}
