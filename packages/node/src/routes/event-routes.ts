import { WeftError } from '@weft/core'
import { EVENT_NAMES } from '../events/event-ring.ts'
import { streamEvents } from '../events/stream-events.ts'
import { type Route, defineRawRoute } from '../http/route.ts'
import type { ApiServices } from './api-services.ts'

/** Clients that may listen at once. */
const MAX_LISTENERS = 64

/** What happens, as it happens. */
export function eventRoutes({ events, stopping }: ApiServices): Route[] {
  return [
    defineRawRoute({
      method: 'GET',
      url: '/api/v1/events',
      scope: 'events:read',
      summary: `Server-sent events: ${EVENT_NAMES.join(', ')}; reset when Last-Event-ID is too old to resume from.`,
      raw: { mediaType: 'text/event-stream', description: 'Events with JSON data; ids are <boot>-<n>.' },
      handler: async (_, { request, reply, signal }) => {
        if (events.listeners >= MAX_LISTENERS) {
          throw new WeftError({
            code: 'E_TOO_MANY_STREAMS',
            cause: `${MAX_LISTENERS} clients follow the events already.`,
            fix: 'Close some of them and try again.',
            retryable: true,
          })
        }
        const lastId = request.headers['last-event-id']
        reply.hijack()
        streamEvents(
          reply.raw,
          events,
          typeof lastId === 'string' ? lastId : undefined,
          AbortSignal.any([signal, stopping]),
        )
        return reply
      },
    }),
  ]
}
