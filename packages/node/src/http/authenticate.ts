import type { FastifyRequest } from 'fastify'
import { WeftError } from '@weft/core'
import type { Entrance } from './listeners.ts'
import { type Principal, SOCKET_PRINCIPAL } from './principal.ts'
import { bearerToken, cookieValue, isSameOrigin } from './request-headers.ts'
import type { SessionStore } from './session-store.ts'
import type { TokenStore } from './token-store.ts'

/** The cookie of a session. Browsers share cookies among the ports of a host: the port is in the name. */
export function sessionCookie(port: number): string {
  return `weft-session-${port}`
}

export interface Authentication {
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  /** TCP port of the API. */
  readonly port: number
}

/**
 * Who makes this request: the user of the socket, the holder of a token, or the browser of a session.
 * @throws WeftError E_UNAUTHENTICATED, E_ORIGIN_REFUSED
 */
export function authenticate(
  request: FastifyRequest,
  entrance: Entrance,
  { tokens, sessions, port }: Authentication,
): Principal {
  if (entrance === 'socket') return SOCKET_PRINCIPAL
  const { authorization, cookie, host, origin } = request.headers
  const token = bearerToken(authorization)
  const session = cookieValue(cookie, sessionCookie(port))
  const principal =
    token !== undefined ? tokens.principalOf(token) : session === undefined ? undefined : sessions.principalOf(session)
  if (principal === undefined) {
    throw new WeftError({
      code: 'E_UNAUTHENTICATED',
      cause:
        authorization !== undefined
          ? 'The token is unknown, revoked or expired.'
          : session !== undefined
            ? 'The session of this browser is over.'
            : 'The request shows no token and no session.',
      fix: 'Programs: weft token create NAME --scope SCOPE, then Authorization: Bearer TOKEN. Browsers: weft dashboard.',
    })
  }
  if (principal.kind === 'session') {
    const fetchSite = request.headers['sec-fetch-site']
    if (
      !isSameOrigin(request.method, { host, origin, fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined })
    ) {
      throw new WeftError({
        code: 'E_ORIGIN_REFUSED',
        cause: 'Another page sent this request in the name of the dashboard.',
        fix: 'Close that page. Programs use a token, not the cookie of a browser.',
      })
    }
  }
  return principal
}
