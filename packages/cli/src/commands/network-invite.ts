import { counted } from '@weft/core'
import type { JoinTokenAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'

/** As many as the API takes. */
const MAX_USES = 10_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const ttlMs = invocation.duration('expires')
  const uses = invocation.integer('uses', 1, MAX_USES)
  const roles = invocation.text('roles')
  const node = invocation.text('for')
  const answer = await openApi(invocation).json<JoinTokenAnswer>(
    'POST',
    '/api/v1/network/invitations',
    {
      ...(ttlMs !== undefined && { ttlMs }),
      ...(uses !== undefined && { uses }),
      ...(roles !== undefined && { roles: roles.split(',').filter((role) => role !== '') }),
      ...(node !== undefined && { node }),
    },
    { signal },
  )
  output.document({ ...answer })
  output.note(words(answer))
  output.print(answer.token)
}

function words({ network, invitation }: JoinTokenAnswer): string {
  const how = 'On the other machine: weft network join - (and paste it)'
  if (invitation === undefined) return `The network ${network.name} is open; by this token anybody finds it. ${how}`
  const { uses, roles, expiresAt, node } = invitation
  const who = node === undefined ? counted(uses, 'node') : `the node ${node}`
  return `An invitation for ${who} with the roles ${roles.join(', ')}, to be used until ${formatTime(expiresAt)}. It is a secret, and shown this once. ${how}`
}
