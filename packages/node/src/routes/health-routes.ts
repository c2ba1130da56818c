import * as z from 'zod'
import { type Route, defineRawRoute, defineRoute } from '../http/route.ts'
import { renderMetrics } from '../metrics/render-metrics.ts'
import { liveAnswer, readyAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

/** What supervisors and monitors ask. */
export function healthRoutes(services: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/livez',
      scope: 'public',
      summary: 'Whether the daemon answers at all.',
      response: liveAnswer,
      handler: () => ({ schemaVersion: 1 as const, live: true as const }),
    }),
    defineRoute({
      method: 'GET',
      url: '/readyz',
      scope: 'public',
      summary: 'Whether the daemon does its work: 200 or 503. With ?verbose, each check.',
      query: z.strictObject({ verbose: z.string().optional() }),
      response: readyAnswer,
      handler: ({ query }, { reply }) => {
        const checks = services.checks()
        const ready = checks.every((check) => check.fault === undefined)
        void reply.code(ready ? 200 : 503)
        if (query.verbose === undefined) return { schemaVersion: 1 as const, ready }
        return {
          schemaVersion: 1 as const,
          ready,
          checks: checks.map(({ name, tried, fault: reason, notice }) => ({
            name,
            ok: reason === undefined,
            tried,
            fault: reason,
            notice,
          })),
        }
      },
    }),
    defineRawRoute({
      method: 'GET',
      url: '/metrics',
      scope: 'metrics:read',
      summary: 'Metrics in the text format of Prometheus 0.0.4.',
      raw: { mediaType: 'text/plain', description: 'See docs/metrics.md.' },
      handler: async (_, { reply }) => {
        const { contentType, text } = await renderMetrics(services)
        return reply.type(contentType).send(text)
      },
    }),
  ]
}
