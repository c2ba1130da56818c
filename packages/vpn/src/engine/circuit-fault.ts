import type { Fault } from '@weft/core'
import { shortId } from '@weft/crypto'
import { CircuitReason, circuitReasonText } from '@weft/onion'
import type { RouteMember } from '../route/route-member.ts'
import type { HopRole } from '../vpn.ts'

/** Why a circuit ended, and which hop it was that failed, vanished or did not take it. */
export function circuitFault(reason: number, hop: RouteMember | undefined, role: HopRole | undefined): Fault {
  const node = hop === undefined ? 'A hop of the route' : `The ${role ?? 'hop'} …${shortId(hop.id)}`
  // Who says so is there, and may well be in use over other legs.
  const what = reason === CircuitReason.sessionUnknown ? 'did not take this leg' : 'was lost'
  return {
    code: 'E_CIRCUIT_ENDED',
    cause: `${node} ${what}: ${circuitReasonText(reason)}.`,
    fix: 'Nothing to do: another route is taken. weft vpn route shows it.',
  }
}
