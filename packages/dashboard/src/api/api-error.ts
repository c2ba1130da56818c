import type { Fault } from '@weft/core'

/** What the API or the way to it said went wrong. */
export class ApiError extends Error {
  readonly fault: Fault
  readonly status: number

  constructor(status: number, fault: Fault) {
    super(`${fault.code}: ${fault.cause}`)
    this.status = status
    this.fault = fault
  }
}

export const DAEMON_GONE: Fault = {
  code: 'E_DAEMON_UNREACHABLE',
  cause: 'The daemon does not answer any more.',
  fix: 'Start it again (weft start, or npm start); this page goes on by itself.',
}

export const BROKEN_OFF: Fault = {
  code: 'E_HTTP',
  cause: 'The answer of the daemon did not come whole.',
  fix: 'This page asks again by itself; if it stays so, see the daemon’s log.',
}

export const SIGNED_OUT: Fault = {
  code: 'E_SIGNED_OUT',
  cause: 'This page is not signed in to the daemon.',
  fix: 'Run weft dashboard and open the link that it prints.',
}

/** What to show of an error: the API's own words, or that this page failed. */
export function faultOf(error: unknown): Fault {
  return error instanceof ApiError ? error.fault : { code: 'E_PAGE', cause: String(error), fix: 'Reload the page.' }
}
