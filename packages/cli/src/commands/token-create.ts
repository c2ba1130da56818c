import type { NewTokenAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

/** As short as the API takes. */
const MIN_SECONDS = 60

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const ttlMs = invocation.duration('ttl', MIN_SECONDS)
  const scopes = (invocation.text('scopes') ?? '').split(',').filter((scope) => scope !== '')
  if (scopes.length === 0) {
    throw usageError(
      'The token would be for nothing: --scopes is missing or empty.',
      `Say what it may do: weft token create ${invocation.argument(0)} --scopes storage:read,node:read`,
    )
  }
  const created = await openApi(invocation).json<NewTokenAnswer>(
    'POST',
    '/api/v1/tokens',
    { name: invocation.argument(0), scopes, ...(ttlMs !== undefined && { ttlMs }) },
    { signal },
  )
  output.document({ ...created })
  output.note(
    `Token '${created.name}' for ${created.scopes.join(', ')}, until ${formatTime(created.expiresAt)}. It is shown this once:`,
  )
  output.print(created.token)
}
