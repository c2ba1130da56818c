import type { RevocationsAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime, shortId } from '../output/format.ts'
import { waitingState } from '../output/revocation-state.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const answer = await openApi(invocation).json<RevocationsAnswer>('GET', '/api/v1/revocations', undefined, { signal })
  output.document({ ...answer })
  const named = (id: string): string => (invocation.flag('long') ? id : shortId(id))
  const rows = [
    ...answer.inForce.map(({ id, reason, blockedUntil, votes }) => [
      named(id),
      reason,
      reason === 'withdrawn' ? '-' : formatTime(blockedUntil),
      String(votes),
      reason === 'withdrawn' ? 'taken back' : 'in force',
    ]),
    ...answer.pending.map((one) => [
      named(one.id),
      one.reason,
      one.reason === 'withdrawn' ? '-' : formatTime(one.blockedUntil),
      String(one.voters.length),
      waitingState(one, answer),
    ]),
  ]
  if (rows.length === 0) {
    output.note('No node was ejected.')
    return
  }
  output.print(...formatTable(['NODE', 'REASON', 'UNTIL', 'VOTES', 'STATE'], rows))
}
