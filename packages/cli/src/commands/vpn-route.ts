import type { VpnRouteAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { legLines, stateLines, throughputWords } from '../output/route-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const route = await openApi(invocation).json<VpnRouteAnswer>('GET', '/api/v1/vpn/route', undefined, { signal })
  const { state, fault, legs, throughput } = route
  output.document({ ...route })
  const now = Date.now()
  const long = invocation.flag('long')
  output.print(...stateLines(state, fault, output), ...legs.flatMap((leg) => legLines(leg, now, long, output)))
  if (legs.length > 0) output.print(`throughput  ${throughputWords(throughput)}`)
}
