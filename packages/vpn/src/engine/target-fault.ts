import { WeftError } from '@weft/core'
import { SessionCode } from '@weft/onion'

/** What an exit said of a target, as a fault without the target's name. `details.code` is what it said, one of SessionCode. */
export function targetFault(code: number): WeftError {
  const [name, cause, fix] = TARGET_FAULTS[code] ?? [
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
    'The exit carries as many connections as it takes.',
    'Try again in a moment, or through another exit.',
  ],
  [SessionCode.stopping]: ['E_EXIT_STOPS', 'The exit stops.', 'Try again: another route is taken.'],
  [SessionCode.notOffered]: [
    'E_EXIT_NO_IP',
    'The exit does not carry IP packets.',
    'Nothing to do: another exit is asked. Its operator allows it with exit.ip.',
  ],
  [SessionCode.nameServerFailed]: [
    'E_TARGET_NAME_SERVER',
    "The exit's name server did not answer.",
    'Try again, or through another exit.',
  ],
}
