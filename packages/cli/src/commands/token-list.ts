import type { TokensAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { tokens } = await openApi(invocation).json<TokensAnswer>('GET', '/api/v1/tokens', undefined, {
    signal: invocation.signal,
  })
  const { output } = invocation
  output.document({ tokens })
  if (tokens.length === 0) {
    output.note('There are no tokens. To make one: weft token create NAME --scopes node:read')
    return
  }
  const rows = tokens.map(({ id, name, scopes, createdAt, expiresAt }) => [
    id,
    name,
    scopes.join(','),
    formatTime(createdAt),
    formatTime(expiresAt),
  ])
  output.print(...formatTable(['ID', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES'], rows))
}
