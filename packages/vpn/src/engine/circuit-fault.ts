import type { Fault } from '@weft/core'
import { shortId } from '@weft/crypto'
import { CIRCUIT_OWED, CircuitReason, circuitReasonText } from '@weft/onion'
import type { RouteMember } from '../route/route-member.ts'
import type { HopRole } from '../vpn.ts'

/** Why a circuit ended, and which hop it was that failed, vanished or did not take it. */
export function circuitFault(reason: number, hop: RouteMember | undefined, role: HopRole | undefined): Fault {
  const node = hop === undefined ? 'A hop of the route' : `The ${role ?? 'hop'} …${shortId(hop.id)}`
  // Who says so is there, and may well be in use over other legs.
  const what = reason === CircuitReason.sessionUnknown ? 'did not take this leg' : 'was lost'
  if (reason === CIRCUIT_OWED)
    return {
      code: 'E_CIRCUIT_OWED',
      cause: `${node} ended a circuit: ${circuitReasonText(reason)}.`,
      fix: 'See why there are no tokens: weft vpn receipts.',
    }
  return {
    code: 'E_CIRCUIT_ENDED',
    cause: `${node} ${what}: ${circuitReasonText(reason)}.`,
    fix: 'Nothing to do: another route is taken. weft vpn route shows it.',
  }
}

/** It ended as this client had no payment for a hop, which is not that hop's fault, nor its guard's. */
export function isOwed(fault: Fault | undefined): boolean {
  return fault?.code === 'E_CIRCUIT_OWED'
}
