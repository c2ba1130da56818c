import { printable } from '@weft/core'
import type { PeersAnswer, StatusAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatDuration, shortId } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const { peers } = await api.json<PeersAnswer>('GET', '/api/v1/peers', undefined, { signal })
  output.document({ peers })
  if (peers.length === 0) {
    output.note('This node knows no members yet. All that is looked at: weft check')
    const { map } = await api.json<StatusAnswer>('GET', '/api/v1/status', undefined, { signal })
    if (map.fault !== undefined) for (const line of faultLines(map.fault, output)) output.note(line)
    return
  }
  const now = Date.now()
  const rows = peers.map(({ id, state, since, rttMs, fault, relayed }) => [
    invocation.flag('long') ? id : shortId(id),
    output.styled(
      state === 'connected' ? 'green' : state === 'connecting' ? 'yellow' : 'red',
      relayed ? `${state} over a relay` : state,
    ),
    formatDuration(now - since),
    rttMs === undefined ? '-' : `${rttMs.toFixed(1)} ms`,
    fault === undefined ? '' : `${fault.code}: ${printable(fault.cause)}`,
  ])
  output.print(...formatTable(['NODE', 'STATE', 'FOR', 'RTT', 'WHY'], rows))
}
