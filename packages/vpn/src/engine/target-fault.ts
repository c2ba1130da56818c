import { WeftError } from '@weft/core'
import { SessionCode, type StreamTarget } from '@weft/onion'

/** What an exit said of a target, as a fault without the target's name. `details.code` is what it said, one of SessionCode. */
export function targetFault(code: number, target?: StreamTarget): WeftError {
  const special = target?.protocol === undefined ? undefined : SPECIAL_FAULTS[target.protocol]?.[code]
  const [name, cause, fix] = special ??
    TARGET_FAULTS[code] ?? [
      'E_TARGET_FAILED',
      `The exit could not open the connection (code ${code}).`,
      'Try again, or through another exit.',
    ]
  return new WeftError({ code: name, cause, fix, details: { code } })
}

const TARGET_FAULTS: Readonly<Record<number, readonly [string, string, string]>> = {
  [SessionCode.policy]: [
    'E_TARGET_POLICY',
    "The exit's policy refuses the address or port.",
    'Private addresses and port 25 are refused by default; an operator opens others with exit.allow.',
  ],
  [SessionCode.nameNotFound]: ['E_TARGET_NAME', 'The name does not exist.', 'Check the spelling of the host name.'],
  [SessionCode.networkUnreachable]: [
    'E_TARGET_NETWORK',
    "The target's network cannot be reached from the exit.",
    'Try again, or through another exit.',
  ],
  [SessionCode.hostUnreachable]: [
    'E_TARGET_HOST',
    'The target cannot be reached from the exit.',
    'Check the address, or try through another exit.',
  ],
  [SessionCode.connectionRefused]: [
    'E_TARGET_REFUSED',
    'The target refused the connection.',
    'Check the port, and that something listens there.',
  ],
  [SessionCode.timedOut]: [
    'E_TARGET_TIMEOUT',
    'The target did not answer in time.',
    'Check the address, or try again.',
  ],
  [SessionCode.connectionReset]: ['E_TARGET_RESET', 'The target reset the connection.', 'Try again.'],
  [SessionCode.limit]: [
    'E_EXIT_FULL',
    'The exit is at its limit: of connections, of new ones a second, or of names that it looks up, for this client or for all.',
    'Try again in a moment. Another exit was asked as well, if a route to one was ready.',
  ],
  [SessionCode.stopping]: ['E_EXIT_STOPS', 'The exit stops.', 'Try again: another route is taken.'],
  [SessionCode.notOffered]: [
    'E_EXIT_NOT_OFFERED',
    'The exit does not offer what was asked of it.',
    'Nothing to do: another exit is asked. The older of the nodes may have to be updated.',
  ],
  [SessionCode.nameServerFailed]: [
    'E_TARGET_NAME_SERVER',
    "The exit's name server did not answer.",
    'Try again, or through another exit.',
  ],
}

/** The same of a service of a member. */
const SERVICE_FAULTS: Readonly<Record<number, readonly [string, string, string]>> = {
  [SessionCode.nameNotFound]: [
    'E_MEMBER_UNKNOWN',
    'The last hop of the route does not know this member.',
    'Try again in a moment: its map or that of this node is older than the other.',
  ],
  [SessionCode.hostUnreachable]: [
    'E_MEMBER_NO_CIRCUITS',
    'The last hop of the route has no address at which it could call this member, or does not get there.',
    'Use another member; one that is reached over relays only cannot be called over a route.',
  ],
  [SessionCode.limit]: [
    'E_EXIT_FULL',
    'The last hop of the route has as many connections to this member as it makes.',
    'Try again in a moment: another route is taken then.',
  ],
  [SessionCode.notOffered]: [
    'E_SERVICE_NOT_OFFERED',
    'The member has no such service, or the last hop of the route does not lead there.',
    'Update the older of the nodes; the services are listed in docs/specs/session.md.',
  ],
}

/** The same of whole machines' IP packets. */
const IP_FAULTS: typeof SERVICE_FAULTS = {
  [SessionCode.notOffered]: [
    'E_EXIT_NO_IP',
    'The exit does not carry IP packets.',
    'Other exits are asked by themselves. Where the profile names one exit or country, and none there carries them (exit.ip of its operator): weft vpn profile set NAME --exit auto, or go by the proxy alone, weft vpn up.',
  ],
}

const SPECIAL_FAULTS: Readonly<Record<string, typeof SERVICE_FAULTS>> = { service: SERVICE_FAULTS, ip: IP_FAULTS }
