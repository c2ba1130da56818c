import type { PeersAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatDuration, printable, shortId } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { peers } = await openApi(invocation).json<PeersAnswer>('GET', '/api/v1/peers', undefined, {
    signal: invocation.signal,
  })
  const { output } = invocation
  output.document({ peers })
  if (peers.length === 0) {
    output.note('This node knows no members yet. Why: weft check')
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
