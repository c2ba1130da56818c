import type { PingAnswer } from '@weft/node'
import { memberNamed } from '../daemon/member-named.ts'
import { openApi } from '../daemon/open-api.ts'
import { shortId } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const id = await memberNamed(api, invocation.argument(0), signal)
  const times: number[] = []
  for (let left = invocation.integer('count', 1, 1_000) ?? 1; left > 0; left--) {
    const { rttMs } = await api.json<PingAnswer>('POST', `/api/v1/peers/${encodeURIComponent(id)}/ping`, undefined, {
      signal,
    })
    times.push(rttMs)
    output.print(`${shortId(id)}  ${rttMs.toFixed(2)} ms`)
  }
  output.document({ id, rttMs: times.at(-1), times })
}
