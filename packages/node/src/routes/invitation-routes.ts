import * as z from 'zod'
import { WeftError } from '@weft/core'
import { fromDidKey } from '@weft/crypto'
import { INVITED_ROLES, MAX_USES, formatJoinToken, waysOf } from '@weft/overlay'
import { WORKING_ROLES } from '../config/roles.ts'
import { type Route, defineRoute } from '../http/route.ts'
import { joinTokenAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { nodeId } from './schemas.ts'

const DAY_MS = 86_400_000
/** What works in this version; who may become a validator is said by name. */
const USUAL_ROLES = WORKING_ROLES.filter((role) => role !== 'validator')

/** How others come into the network. */
export function invitationRoutes({ network, networkFile, invite, clock }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/network/invitations',
      scope: 'network:invite',
      summary: 'Makes a token to join by. It is in this answer and nowhere else.',
      body: z.strictObject({
        ttlMs: z
          .int()
          .min(1_000)
          .max(365 * DAY_MS)
          .optional()
          .describe('ms until which nodes may join by it; default 7 days'),
        uses: z.int().min(1).max(MAX_USES).optional().describe('Nodes that may be members by it at a time; default 1'),
        roles: z
          .array(z.enum(INVITED_ROLES))
          .min(1)
          .refine((roles) => new Set(roles).size === roles.length, 'names a role twice')
          .optional()
          .describe('Roles that they may take; default all that this version performs, but validator'),
        node: nodeId.optional().describe('The only node that may use it'),
      }),
      response: joinTokenAnswer,
      handler: ({ body }) => {
        const { ttlMs = 7 * DAY_MS, uses = 1, roles = USUAL_ROLES, node } = body
        if (Object.keys(body).length > 0 && waysOf(networkFile.policy).includes('open')) throw needless(network.name)
        const token = invite({
          uses,
          roles,
          expiresAt: clock.now() + ttlMs,
          node: node === undefined ? undefined : fromDidKey(node),
        })
        return {
          schemaVersion: 1 as const,
          token: formatJoinToken(token),
          network: { id: network.id, name: network.name },
          ...(token.invitation === undefined
            ? {}
            : {
                invitation: {
                  roles: token.invitation.invitation.roles,
                  uses: token.invitation.invitation.uses,
                  expiresAt: token.invitation.invitation.expiresAt,
                  ...(node === undefined ? {} : { node }),
                },
              }),
        }
      },
    }),
  ]
}

function needless(name: string): WeftError {
  return new WeftError({
    code: 'E_INVITE_NEEDLESS',
    cause: `The network ${name} is open: nobody needs an invitation, so that there is nothing to limit.`,
    fix: 'Ask for a token without limits: weft network invite.',
  })
}
