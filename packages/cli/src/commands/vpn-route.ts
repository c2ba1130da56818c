import type { VpnRouteAnswer } from '@weft/node'
import { explainRoute } from '../daemon/explain-route.ts'
import { orLeftBehind } from '../daemon/left-behind.ts'
import { openApi } from '../daemon/open-api.ts'
import { verifyRoute } from '../daemon/verify-route.ts'
import { watchRoute } from '../daemon/watch-route.ts'
import { wholeRouteLines } from '../output/route-lines.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const [watches, verifies, long] = [invocation.flag('watch'), invocation.flag('verify'), invocation.flag('long')]
  const why = invocation.text('why')
  const explains = why !== undefined || invocation.flag('why')
  if (Number(watches) + Number(verifies) + Number(explains) > 1)
    throw usageError('--watch, --verify and --why exclude each other.', 'Give one of them.')
  const api = openApi(invocation)
  if (watches) return watchRoute(api, output, long, signal)
  if (explains) return explainRoute(api, why, output, long, signal)
  if (verifies) return verifyRoute(api, output, long, signal)
  const asked = api.json<VpnRouteAnswer>('GET', '/api/v1/vpn/route', undefined, { signal })
  const route = await orLeftBehind(invocation, asked)
  output.document({ ...route })
  output.print(...wholeRouteLines(route, Date.now(), long, output))
}
