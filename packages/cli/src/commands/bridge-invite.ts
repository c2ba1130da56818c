import type { NewBridgeInvitationAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const address = invocation.text('address')
  const { schemaVersion: _, ...made } = await openApi(invocation).json<NewBridgeInvitationAnswer>(
    'POST',
    '/api/v1/bridge/invitations',
    { name: invocation.argument(0), ...(address !== undefined && { address }) },
    { signal },
  )
  output.document(made)
  output.note(
    `An invitation to this bridge, '${made.name}'. Its line is a secret, and shown this once; hand it over where no censor reads it. On the other machine: weft bridge add - (and paste it)`,
  )
  output.print(made.line)
}
