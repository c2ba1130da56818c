import { type Route, defineRoute } from '../http/route.ts'
import { resourcesAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { describeMap } from './describe-map.ts'
import { describeResources } from './describe-resources.ts'
import { inSlices } from './in-slices.ts'
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
      handler: async (_, { signal }) => {
        const [all, map] = [overlay.membership.members(), describeMap(overlay)]
        const described = await inSlices(
          all,
          ({ id, roles, region, country, simulated, expiresAt, resources }) =>
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
          signal,
        )
        const members = described.flat()
        return {
          schemaVersion: 1 as const,
          network,
          map,
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
