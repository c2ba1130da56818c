import * as z from 'zod'
import { WeftError } from '@weft/core'
import { sessionCookie } from '../http/authenticate.ts'
import { type Route, defineRawRoute, defineRoute } from '../http/route.ts'
import { covers } from '../http/scopes.ts'
import { SESSION_TTL_MS } from '../http/session-store.ts'
import type { ApiServices } from './api-services.ts'
import { grant, schemaVersion, tokenInfo } from './schemas.ts'

const DAY_MS = 86_400_000
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes, underscores')

/** Who else may use the API: tokens for programs, one-use links for browsers. */
export function tokenRoutes({ tokens, sessions, ports }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/tokens',
      scope: 'node:admin',
      summary: 'The tokens that are valid, without their secrets.',
      response: z.object({ schemaVersion, tokens: z.array(tokenInfo).readonly() }),
      handler: () => ({ schemaVersion: 1 as const, tokens: tokens.list() }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/tokens',
      scope: 'node:admin',
      summary: 'Makes a token. Its secret is in this answer and nowhere else.',
      body: z.strictObject({
        name,
        scopes: z.array(grant).min(1).max(32),
        ttlMs: z
          .int()
          .min(60_000)
          .max(366 * DAY_MS)
          .default(90 * DAY_MS)
          .describe('ms until it expires; default 90 days'),
      }),
      response: tokenInfo.extend({ schemaVersion, token: z.string() }),
      handler: ({ body }, { caller }) => {
        if (!covers(caller.grants, body.scopes)) {
          throw new WeftError({
            code: 'E_SCOPE_MISSING',
            cause: `The ${caller.kind} '${caller.name}' cannot hand out scopes that it does not have.`,
            fix: 'Ask for fewer scopes, or make the token on the machine of the daemon: weft token create.',
          })
        }
        return { schemaVersion: 1 as const, ...tokens.create(body.name, body.scopes, body.ttlMs) }
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/tokens/:token',
      scope: 'node:admin',
      summary: 'Revokes a token by its id or name.',
      params: z.object({ token: z.string().min(1).max(64) }),
      response: z.object({ schemaVersion, revoked: tokenInfo }),
      handler: ({ params }) => ({ schemaVersion: 1 as const, revoked: tokens.revoke(params.token) }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/dashboard/link',
      scope: 'node:admin',
      summary: 'A link that opens the dashboard, once, within 15 minutes, with the rights of whoever made it.',
      response: z.object({ schemaVersion, url: z.string() }),
      handler: (_, { caller }) => ({
        schemaVersion: 1 as const,
        url: `http://127.0.0.1:${ports['api']}/open?code=${sessions.createLink(caller.grants)}`,
      }),
    }),
    defineRawRoute({
      method: 'GET',
      url: '/open',
      scope: 'public',
      summary: 'Exchanges the code of a link for the cookie of a session.',
      query: z.strictObject({ code: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the code of a link') }),
      raw: { mediaType: 'text/html', description: 'A redirect to the dashboard.' },
      handler: async ({ query }, { reply }) => {
        const session = sessions.open(query.code)
        const cookie = `${sessionCookie(ports['api'] ?? 0)}=${session}; Path=/; Max-Age=${SESSION_TTL_MS / 1000}; HttpOnly; SameSite=Strict`
        return reply.header('set-cookie', cookie).redirect('/', 303)
      },
    }),
  ]
}
