import type { Fault } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { RouteMember } from '../route/route-member.ts'

/** Why a path set ends whose exit is gone. @param relays over which it was reached, and which agree */
export function exitLostFault(exit: RouteMember, relays: readonly DidKey[]): Fault {
  return {
    code: 'E_EXIT_LOST',
    cause: `The exit …${shortId(exit.id)} does not answer any more; …${relays.map((id) => shortId(id)).join(' and …')} before it do.`,
    fix: 'Start again what was cut off: new connections leave at another exit. weft vpn route shows it.',
  }
}
