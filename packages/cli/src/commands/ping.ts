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
  const rttMs = median(times)
  output.document({ id, rttMs, times })
  if (times.length > 1)
    output.print(
      `least ${Math.min(...times).toFixed(2)} ms, median ${rttMs.toFixed(2)} ms, most ${Math.max(...times).toFixed(2)} ms`,
    )
}

/** The middle one, or the mean of the two in the middle. */
function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  const [below = 0, above = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return (below + above) / 2
}
