import { counted } from '@weft/core'
import { quoted, requireNodeId } from '@weft/devnet'
import { type JoinTokenAnswer, WORKING_ROLES } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

/** As many as the API takes. */
const MAX_USES = 10_000
/** As short as the API takes. */
const MIN_SECONDS = 1

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const ttlMs = invocation.duration('expires', MIN_SECONDS)
  const uses = invocation.integer('uses', 1, MAX_USES)
  const roles = invocation.text('roles')
  const asked = roles === undefined ? undefined : rolesOf(roles)
  const node = invocation.text('for')
  if (node !== undefined) requireNodeId(node, '--for')
  const answer = await openApi(invocation).json<JoinTokenAnswer>(
    'POST',
    '/api/v1/network/invitations',
    {
      ...(ttlMs !== undefined && { ttlMs }),
      ...(uses !== undefined && { uses }),
      ...(asked !== undefined && { roles: asked }),
      ...(node !== undefined && { node }),
    },
    { signal },
  )
  output.document({ ...answer })
  output.note(words(answer))
  output.print(answer.token)
}

/** @throws WeftError E_USAGE that names every word that is no role */
function rolesOf(text: string): string[] {
  const roles = [...new Set(text.split(',').filter((role) => role !== ''))]
  const strange = roles.filter((role) => !(WORKING_ROLES as readonly string[]).includes(role))
  if (roles.length > 0 && strange.length === 0) return roles
  const names = strange.map(quoted).join(', ')
  throw usageError(
    roles.length === 0
      ? '--roles names no role.'
      : `--roles names ${names}, which ${strange.length === 1 ? 'is no role' : 'are no roles'} of this version.`,
    `Name some of ${WORKING_ROLES.join(', ')}, with commas between them.`,
  )
}

function words({ network, invitation }: JoinTokenAnswer): string {
  const how = 'On the other machine: weft network join - (and paste it)'
  if (invitation === undefined) return `The network ${network.name} is open; by this token anybody finds it. ${how}`
  const { uses, roles, expiresAt, node } = invitation
  const who = node === undefined ? counted(uses, 'node') : `the node ${node}`
  return `An invitation for ${who} with the roles ${roles.join(', ')}, to be used until ${formatTime(expiresAt)}. It is a secret, and shown this once. ${how}`
}
