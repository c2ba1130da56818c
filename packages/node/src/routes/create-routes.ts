import { openApiDocument } from '../http/open-api-document.ts'
import { type Route, defineRoute } from '../http/route.ts'
import { openApiAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { archiveRoutes } from './archive-routes.ts'
import { attestationRoutes } from './attestation-routes.ts'
import { bridgeRoutes } from './bridge-routes.ts'
import { eventRoutes } from './event-routes.ts'
import { healthRoutes } from './health-routes.ts'
import { invitationRoutes } from './invitation-routes.ts'
import { leaseRoutes } from './lease-routes.ts'
import { networkRoutes } from './network-routes.ts'
import { nodeRoutes } from './node-routes.ts'
import { objectRoutes } from './object-routes.ts'
import { resourceRoutes } from './resource-routes.ts'
import { revocationRoutes } from './revocation-routes.ts'
import { s3Routes } from './s3-routes.ts'
import { tokenRoutes } from './token-routes.ts'
import { vpnProfileRoutes } from './vpn-profile-routes.ts'
import { vpnRoutes } from './vpn-routes.ts'

/** Every route of the API, the one that describes them included. */
export function createRoutes(services: ApiServices): readonly Route[] {
  const routes: Route[] = [
    ...nodeRoutes(services),
    ...networkRoutes(services),
    ...invitationRoutes(services),
    ...attestationRoutes(services),
    ...resourceRoutes(services),
    ...leaseRoutes(services),
    ...revocationRoutes(services),
    ...objectRoutes(services),
    ...archiveRoutes(services),
    ...s3Routes(services),
    ...vpnRoutes(services),
    ...vpnProfileRoutes(services),
    ...bridgeRoutes(services),
    ...eventRoutes(services),
    ...tokenRoutes(services),
    ...healthRoutes(services),
  ]
  routes.push(
    defineRoute({
      method: 'GET',
      url: '/api/v1/openapi.json',
      scope: 'node:read',
      summary: 'This description of the API, as OpenAPI 3.1.',
      response: openApiAnswer,
      handler: () => openApiDocument(routes),
    }),
  )
  return routes
}
