import { type Route, defineRoute } from '../http/route.ts'
import { resourcesAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { describeMap } from './describe-map.ts'
import { describeResources } from './describe-resources.ts'
import { totalResources } from './total-resources.ts'

/** What the members say of their machines, for whoever looks for capacity (docs/specs/resources.md). */
export function resourceRoutes({ overlay, network, attesters }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/resources',
      scope: 'network:read',
      summary: 'What the members say of their machines, and the sums of it.',
      response: resourcesAnswer,
      handler: () => {
        const all = overlay.membership.members()
        const members = all.flatMap(({ id, roles, region, country, simulated, expiresAt, resources }) =>
          resources === undefined
            ? []
            : [
                {
                  id,
                  roles,
                  region,
                  country,
                  simulated,
                  expiresAt,
                  resources: describeResources(attesters, resources),
                },
              ],
        )
        return {
          schemaVersion: 1 as const,
          network,
          map: describeMap(overlay),
          members,
          totals: totalResources(
            all.length,
            members.map(({ resources }) => resources),
          ),
        }
      },
    }),
  ]
}
