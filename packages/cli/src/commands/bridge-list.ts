import { counted } from '@weft/core'
import type { BridgeAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatBytes, formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { role } = await openApi(invocation).json<BridgeAnswer>('GET', '/api/v1/bridge', undefined, { signal })
  output.document({ role: role ?? null })
  if (role === undefined) {
    output.note(
      'This node is no bridge. To make it one: bridge.enabled = true in weft.toml (weft config explain bridge.enabled)',
    )
    return
  }
  const { invitations, streams, clients, connections } = role
  output.note(
    `Port ${role.port}: ${counted(connections, 'connection')}, ${streams} of them streams; ${clients} of ${counted(invitations.length, 'invitation')} in use.`,
  )
  if (invitations.length === 0) {
    output.note('Nobody is invited. To invite a client: weft bridge invite NAME')
    return
  }
  const rows = invitations.map((each) => [
    each.id,
    each.name,
    formatTime(each.createdAt),
    String(each.streams),
    formatBytes(each.toClients),
    formatBytes(each.toMembers),
  ])
  output.print(...formatTable(['ID', 'NAME', 'CREATED', 'STREAMS', 'TO CLIENT', 'TO MEMBERS'], rows))
}
