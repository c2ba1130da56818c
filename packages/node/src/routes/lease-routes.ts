import { type Fault, isWeftError, toBase64Url } from '@weft/core'
import { shortId, toDidKey } from '@weft/crypto'
import type { VerifiedLease } from '@weft/overlay'
import { type Route, defineRoute } from '../http/route.ts'
import { leasesAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

/** Clients that lend something, apart from the members; and this node's own lease. */
export function leaseRoutes({ overlay, ids, stopping }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/leases',
      scope: 'network:read',
      summary: 'The leases of clients that lend something, as validators list them, and the own one.',
      response: leasesAnswer,
      handler: async (_, { signal }) => {
        const { leases, fault } = await overlay.leases(AbortSignal.any([signal, stopping])).then(
          (list) => ({ leases: list, fault: undefined }),
          (error: unknown) => ({ leases: [], fault: listFault(error) }),
        )
        return {
          schemaVersion: 1 as const,
          own: overlay.lease(),
          leases: leases.map(({ body, bodyBytes, votes }: VerifiedLease) => ({
            id: body.id,
            short: shortId(body.id),
            uses: body.uses,
            issuedEpoch: body.issuedEpoch,
            expiresAt: body.expiresAt,
            self: body.id === ids.node,
            body: toBase64Url(bodyBytes),
            votes: votes.map(({ signer, signature }) => ({
              validator: toDidKey(signer),
              signature: toBase64Url(signature),
            })),
          })),
          ...(fault === undefined ? {} : { fault }),
        }
      },
    }),
  ]
}

/** How the own lease stands can be told when no validator answers. @throws what is another error */
function listFault(error: unknown): Fault {
  if (!isWeftError(error, 'E_LEASE_LIST')) throw error
  return { code: error.code, cause: error.cause, fix: error.fix }
}
