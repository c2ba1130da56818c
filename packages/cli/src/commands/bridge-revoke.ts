import type { RevokedBridgeInvitationAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const which = encodeURIComponent(invocation.argument(0))
  const { revoked } = await openApi(invocation).json<RevokedBridgeInvitationAnswer>(
    'DELETE',
    `/api/v1/bridge/invitations/${which}`,
    undefined,
    { signal },
  )
  output.document({ revoked })
  output.note(`The invitation '${revoked.name}' is revoked, and its streams are ended.`)
}
