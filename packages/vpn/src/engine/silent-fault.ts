import type { Fault } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { RouteMember } from '../route/route-member.ts'
import { DEAD_MS } from './leg-silence.ts'

/** Why a leg over these hops is given up. @param unreachable the one that the overlay cannot reach either */
export function silentFault(hops: readonly RouteMember[], unreachable: RouteMember | undefined): Fault {
  if (unreachable !== undefined)
    return {
      code: 'E_ROUTE_SILENT',
      cause: `…${shortId(unreachable.id)} cannot be reached, and nothing comes back through it.`,
      fix: 'Nothing to do: another route is taken. weft peers shows which members answer.',
    }
  return {
    code: 'E_ROUTE_SILENT',
    cause: `Nothing came back through …${hops.map(({ id }) => shortId(id)).join(', …')} for ${DEAD_MS / 1_000} s.`,
    fix: 'Nothing to do: another route is taken. weft vpn route shows it.',
  }
}
