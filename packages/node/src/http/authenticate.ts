import type { FastifyRequest } from 'fastify'
import { WeftError } from '@weft/core'
import type { Entrance } from './listeners.ts'
import { type Principal, SOCKET_PRINCIPAL } from './principal.ts'
import { bearerToken } from './request-headers.ts'
import type { SessionStore } from './session-store.ts'
import type { TokenStore } from './token-store.ts'

export interface Authentication {
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  /** TCP port of the API. */
  readonly port: number
}

/**
 * Who makes this request: the user of the socket, the holder of a token, or the dashboard with the secret of a session.
 * Secrets come in `Authorization` alone, never in a cookie: a browser sends cookies to every port of a host, whoever
 * listens there, and with requests that other pages make.
 * @throws WeftError E_UNAUTHENTICATED
 */
export function authenticate(
  request: FastifyRequest,
  entrance: Entrance,
  { tokens, sessions }: Authentication,
): Principal {
  if (entrance === 'socket') return SOCKET_PRINCIPAL
  const { authorization } = request.headers
  const secret = bearerToken(authorization)
  const principal = secret === undefined ? undefined : (tokens.principalOf(secret) ?? sessions.principalOf(secret))
  if (principal !== undefined) return principal
  throw new WeftError({
    code: 'E_UNAUTHENTICATED',
    cause:
      authorization === undefined
        ? 'The request shows no token and no session.'
        : 'The token or session is unknown, revoked or over.',
    fix: 'Programs: weft token create NAME --scopes SCOPES, then Authorization: Bearer TOKEN. Browsers: weft dashboard.',
  })
}
