import type { DidKey } from '@weft/crypto'
import type { RouteUse, VpnStatus } from '../vpn.ts'

/** What goes over legs in use that lead to this exit. */
export function exitUses(exit: DidKey, { route, others }: Pick<VpnStatus, 'route' | 'others'>): RouteUse[] {
  const all = [{ use: 'proxy' as const, number: undefined, legs: route.legs }, ...others]
  return all
    .filter(({ legs }) => legs.some(({ state, hops }) => state === 'active' && hops.at(-1)?.node === exit))
    .map(({ use, number }) => ({ use, number }))
}
