import * as z from 'zod'
import { WeftError } from '@weft/core'
import { type Route, defineRoute } from '../http/route.ts'
import { DASHBOARD_SCOPES, allows, covers } from '../http/scopes.ts'
import { dashboardLinkAnswer, newTokenAnswer, revokedTokenAnswer, sessionAnswer, tokensAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { grant } from './schemas.ts'

const DAY_MS = 86_400_000
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes, underscores')

/** Who else may use the API: tokens for programs, one-use links for browsers. */
export function tokenRoutes({ tokens, sessions, linkFiles, ports }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/tokens',
      scope: 'node:admin',
      summary: 'The tokens that are valid, without their secrets.',
      response: tokensAnswer,
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
      response: newTokenAnswer,
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
      response: revokedTokenAnswer,
      handler: ({ params }) => ({ schemaVersion: 1 as const, revoked: tokens.revoke(params.token) }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/dashboard/link',
      scope: 'node:admin',
      summary:
        'A link that opens the dashboard, once, within 15 minutes, with what its maker may of the scopes that the dashboard needs.',
      body: z
        .strictObject({
          file: z
            .boolean()
            .default(false)
            .describe('Also writes a page that leads to the link, for the user of the daemon alone'),
        })
        .default({ file: false }),
      response: dashboardLinkAnswer,
      handler: ({ body }, { caller }) => {
        const code = sessions.createLink(DASHBOARD_SCOPES.filter((scope) => allows(caller.grants, scope)))
        // In the fragment, which a browser sends to nobody: the page takes it from there.
        const url = `http://127.0.0.1:${ports['api']}/open#${code}`
        return { schemaVersion: 1 as const, url, ...(body.file ? { file: linkFiles.write(code, url) } : {}) }
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/open',
      scope: 'public',
      summary: 'Exchanges the code of a link for the secret of a session, shown like a token.',
      body: z.strictObject({ code: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the code of a link') }),
      response: sessionAnswer,
      handler: ({ body: { code } }) => {
        linkFiles.remove(code)
        const { secret, expiresAt } = sessions.open(code)
        return { schemaVersion: 1 as const, session: secret, expiresAt }
      },
    }),
  ]
}
