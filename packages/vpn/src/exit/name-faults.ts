import { WeftError } from '@weft/core'

/** @param why in brackets: what went wrong with each */
export function nameServersSilent(why: string): WeftError {
  return new WeftError({
    code: 'E_NAME_SERVER',
    cause: `The exit's name server did not answer (${why}).`,
    fix: 'Try again, or through another exit; its operator sets name servers by exit.name_servers.',
    retryable: true,
  })
}

/** @param limit how many it asks for at once, of all sessions */
export function tooManyNames(limit: number): WeftError {
  return new WeftError({
    code: 'E_NAME_LIMIT',
    cause: `This exit looks up ${limit} names at once, and fewer for one session.`,
    fix: 'Try again in a moment.',
    retryable: true,
  })
}
