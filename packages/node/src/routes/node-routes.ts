import { processResources } from '../health/process-resources.ts'
import { type Route, defineRoute } from '../http/route.ts'
import { VERSION } from '../version.ts'
import { idAnswer, leaveAnswer, statusAnswer, stopAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { describeMap } from './describe-map.ts'

/** What this node is and how it does. */
export function nodeRoutes(services: ApiServices): Route[] {
  const { overlay, storage, ids } = services
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/status',
      scope: 'node:read',
      summary: 'The node, its network, what it uses and what is not healthy.',
      response: statusAnswer,
      handler: () => {
        const peers = overlay.peers()
        return {
          schemaVersion: 1 as const,
          node: {
            id: ids.node,
            name: services.name,
            roles: services.roles,
            version: VERSION,
            pid: process.pid,
            uptimeMs: Math.round(performance.now()),
            startedAt: services.startedAt,
            home: services.home,
          },
          network: services.network,
          term: { number: overlay.term().number, seated: overlay.term().isValidator(overlay.self) },
          admission: overlay.admission(),
          reach: overlay.reach(),
          map: describeMap(overlay),
          peers: { connected: peers.filter(({ state }) => state === 'connected').length, total: peers.length },
          storage: storage.held(),
          s3: services.s3.status(),
          resources: { ...processResources(), eventLoopP99Ms: Math.round(services.watch.p99Ms * 10) / 10 },
          ports: services.ports,
          faults: services.faults(),
        }
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/id',
      scope: 'node:read',
      summary: 'The public keys of this node and of its person.',
      response: idAnswer,
      handler: () => ({ schemaVersion: 1 as const, ...ids }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/leave',
      scope: 'node:read',
      summary: 'How far this node has come with leaving the network.',
      response: leaveAnswer,
      handler: () => ({ schemaVersion: 1 as const, ...services.departure.status() }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/leave',
      scope: 'node:admin',
      summary: 'Begins to leave the network: out of the map, then records to those who hold them from now on.',
      response: leaveAnswer,
      handler: () => {
        services.departure.begin()
        return { schemaVersion: 1 as const, ...services.departure.status() }
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/leave',
      scope: 'node:admin',
      summary: 'Takes leaving back, unless it is done.',
      response: leaveAnswer,
      handler: () => {
        services.departure.cancel()
        return { schemaVersion: 1 as const, ...services.departure.status() }
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/stop',
      scope: 'node:admin',
      summary: 'Stops the daemon: what is under way is ended, within 10 s.',
      response: stopAnswer,
      handler: (_, { reply }) => {
        // The answer first: the socket closes once the daemon stops.
        reply.raw.once('close', () => services.stop())
        return { schemaVersion: 1 as const, stopping: true as const }
      },
    }),
  ]
}
