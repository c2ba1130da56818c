import { isWeftError } from '@weft/core'
import { SessionCode } from '@weft/onion'

/** What an exit says of a name that it could not resolve (docs/specs/session.md, codes). */
export function codeOfResolve(error: unknown): number {
  if (isWeftError(error, 'E_NAME_NOT_FOUND')) return SessionCode.nameNotFound
  if (isWeftError(error, 'E_NAME_LIMIT')) return SessionCode.limit
  return SessionCode.nameServerFailed
}

/** What an exit says of a system call towards a target that failed. */
export function codeOfSystem(code: string | undefined): number {
  switch (code) {
    case 'ECONNREFUSED':
      return SessionCode.connectionRefused
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return SessionCode.networkUnreachable
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return SessionCode.hostUnreachable
    case 'ETIMEDOUT':
      return SessionCode.timedOut
    case 'ECONNRESET':
      return SessionCode.connectionReset
    case 'EMFILE':
    case 'ENFILE':
      return SessionCode.limit
    // A broadcast address: a socket sends to none without SO_BROADCAST (socket(7)), and this exit never sets it.
    case 'EACCES':
      return SessionCode.policy
    case undefined:
    default:
      return SessionCode.internal
  }
}
