import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const name = invocation.argument(0)
  await openApi(invocation).json('DELETE', `/api/v1/tokens/${encodeURIComponent(name)}`, undefined, {
    signal: invocation.signal,
  })
  invocation.output.document({ revoked: name })
  invocation.output.note(`Token '${name}' is revoked.`)
}
