import { type Route, defineRoute } from '../http/route.ts'
import { resourcesAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { totalResources } from './total-resources.ts'

/** What the members say of their machines, for whoever looks for capacity (docs/specs/resources.md). */
export function resourceRoutes({ overlay, network }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/resources',
      scope: 'network:read',
      summary: 'What the members say of their machines, and the sums of it.',
      response: resourcesAnswer,
      handler: () => {
        const members = overlay.membership.members()
        return {
          schemaVersion: 1 as const,
          network,
          map: overlay.membership.status(),
          members: members.flatMap(({ id, roles, region, country, simulated, expiresAt, resources }) =>
            resources === undefined ? [] : [{ id, roles, region, country, simulated, expiresAt, resources }],
          ),
          totals: totalResources(members),
        }
      },
    }),
  ]
}
