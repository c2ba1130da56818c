import type { VpnRouteAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { routeLines, throughputWords } from '../output/route-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const route = await openApi(invocation).json<VpnRouteAnswer>('GET', '/api/v1/vpn/route', undefined, { signal })
  const { legs, others, throughput } = route
  output.document({ ...route })
  output.print(...routeLines(route, Date.now(), invocation.flag('long'), output))
  if (legs.length + others.length > 0) output.print(`throughput  ${throughputWords(throughput)}`)
}
