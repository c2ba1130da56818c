import type { VpnRouteAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { verifyRoute } from '../daemon/verify-route.ts'
import { watchRoute } from '../daemon/watch-route.ts'
import { wholeRouteLines } from '../output/route-lines.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const [watches, verifies, long] = [invocation.flag('watch'), invocation.flag('verify'), invocation.flag('long')]
  if (watches && verifies) throw usageError('--watch and --verify exclude each other.', 'Give one of them.')
  const api = openApi(invocation)
  if (watches) return watchRoute(api, output, long, signal)
  if (verifies) return verifyRoute(api, output, long, signal)
  const route = await api.json<VpnRouteAnswer>('GET', '/api/v1/vpn/route', undefined, { signal })
  output.document({ ...route })
  output.print(...wholeRouteLines(route, Date.now(), long, output))
}
