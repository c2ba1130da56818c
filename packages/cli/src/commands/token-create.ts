import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'

interface CreatedToken {
  readonly name: string
  readonly token: string
  readonly scopes: readonly string[]
  readonly expiresAt?: number | null
}

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const ttlMs = invocation.duration('ttl')
  const scopes = (invocation.text('scopes') ?? '').split(',').filter((scope) => scope !== '')
  const created = await openApi(invocation).json<CreatedToken>(
    'POST',
    '/api/v1/tokens',
    { name: invocation.argument(0), scopes, ...(ttlMs !== undefined && { ttlMs }) },
    { signal },
  )
  output.document({ ...created })
  output.note(
    `Token '${created.name}' for ${created.scopes.join(', ')}${created.expiresAt ? `, until ${formatTime(created.expiresAt)}` : ''}. It is shown this once:`,
  )
  output.print(created.token)
}
