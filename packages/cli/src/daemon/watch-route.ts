import { type Fault, isWeftError, wait } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { VpnRouteAnswer } from '@weft/node'
import type { Output } from '../output/output.ts'
import { type RouteWatch, routeWatch } from '../output/route-watch.ts'

/** ms between two looks. */
const LOOK_MS = 1_000
/** What is no better a second later: that the command is ended, and that this user may not ask. */
const FINAL = new Set(['E_INTERRUPTED', 'E_TIMEOUT', 'E_NOT_PERMITTED'])

/**
 * Shows the routes as they are, once a second, until the signal fires: by Ctrl-C it ends as if all were done. A daemon that was there
 * once is waited for.
 * @throws WeftError when there is no daemon at first, or time ran out
 */
export async function watchRoute(api: ApiClient, output: Output, long: boolean, signal: AbortSignal): Promise<void> {
  const ask = (): Promise<VpnRouteAnswer> => api.json<VpnRouteAnswer>('GET', '/api/v1/vpn/route', undefined, { signal })
  try {
    const first = await ask()
    using shown = routeWatch(output, long)
    shown.show(first, Date.now())
    for (;;) {
      await wait(referencedClock, LOOK_MS, signal)
      await look(ask, shown)
    }
  } catch (error) {
    if (!isWeftError(error, 'E_INTERRUPTED')) throw error
  }
}

async function look(ask: () => Promise<VpnRouteAnswer>, shown: RouteWatch): Promise<void> {
  try {
    shown.show(await ask(), Date.now())
  } catch (error) {
    if (!isWeftError(error) || FINAL.has(error.code)) throw error
    const { code, cause, fix }: Fault = error
    shown.lost({ code, cause, fix }, Date.now())
  }
}
