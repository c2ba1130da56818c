import * as z from 'zod'
import { REVOCATION_REASONS, type RevocationReason } from '@weft/overlay'
import { isDidKey } from '@weft/crypto'
import { WeftError } from '@weft/core'
import { type Route, defineRoute } from '../http/route.ts'
import { revocationsAnswer, revokeAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { nodeId } from './schemas.ts'

const DAY_MS = 86_400_000
const REASONS = Object.keys(REVOCATION_REASONS) as [RevocationReason, ...RevocationReason[]]

/** Who was ejected from the network; at a validator, its operator's vote on it. */
export function revocationRoutes({ overlay }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/revocations',
      scope: 'network:read',
      summary: 'Nodes that validators ejected, and decisions that wait for votes.',
      response: revocationsAnswer,
      handler: () => {
        const { inForce, pending } = overlay.revocations()
        return {
          schemaVersion: 1 as const,
          inForce: inForce.map(({ id, reason, issuedUpTo, blockedUntil, decidedAt, votes }) => ({
            id,
            reason,
            issuedUpTo,
            blockedUntil,
            decidedAt,
            votes,
          })),
          pending: pending.map(({ body: { id, reason, blockedUntil, decidedAt }, voters }) => ({
            id,
            reason,
            blockedUntil,
            decidedAt,
            voters,
          })),
        }
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/revocations',
      scope: 'network:admin',
      summary: "This validator's vote to eject a node, or to take that, or its own vote for it, back (withdrawn).",
      body: z.strictObject({
        node: nodeId,
        reason: z.enum(REASONS),
        blockMs: z
          .int()
          .min(0)
          .max(366 * DAY_MS)
          .default(30 * DAY_MS)
          .describe('ms for which the node is not certified again; default 30 days'),
      }),
      response: revokeAnswer,
      handler: async ({ body: { node, reason, blockMs } }, { signal }) => {
        if (!isDidKey(node)) {
          throw new WeftError({
            code: 'E_NODE_UNKNOWN',
            cause: `'${node}' is not the did:key of a node.`,
            fix: 'Give the id as weft members --long prints it.',
          })
        }
        return { schemaVersion: 1 as const, id: node, ...(await overlay.revoke(node, reason, blockMs, signal)) }
      },
    }),
  ]
}
