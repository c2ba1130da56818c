import * as z from 'zod'
import { WeftError } from '@weft/core'
import type { ByteRange, ObjectRemoval } from '@weft/storage'
import { stateFault } from '../health/state-fault.ts'
import { requestInvalid } from '../http/api-error.ts'
import { type Route, defineRawRoute, defineRoute } from '../http/route.ts'
import { sendObject } from '../http/send-object.ts'
import { uploadBody } from '../http/upload-body.ts'
import {
  auditsAnswer,
  objectStatusAnswer,
  objectsAnswer,
  ownObjectStatusAnswer,
  removalAnswer,
  type RemovalsAnswer,
  removalsAnswer,
  renewalAnswer,
  storedAnswer,
  transfersAnswer,
} from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { queryInteger } from './schemas.ts'

const OCTETS = 'application/octet-stream'
const DAY_MS = 86_400_000
const ref = z.string().min(1).max(512).describe('weft://network/object#key, percent-encoded')

const MOST_SEGMENTS = 2 ** 20
const FIRST = 'The first segment looked at; default 0'

const PRIVATE = 'Over routes, so that holders do not learn the address of this node; default false'
/** In a query. */
const isPrivate = z.enum(['true', 'false']).optional().describe(PRIVATE)

const object = z.object({ object: z.string().min(1).max(128) })

const putQuery = z.strictObject({
  name: z.string().max(255).optional(),
  class: z.enum(['tiny', 'small', 'medium', 'standard', 'vault']).optional(),
  ttlMs: queryInteger(60_000, 365 * DAY_MS)
    .optional()
    .describe('ms until the object expires; default 30 days'),
  private: isPrivate,
})

/** One range from a first byte on; whatever else is asked for is answered with the whole, as RFC 9110, section 14.2, allows. */
function rangeOf(header: string | undefined): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header ?? '') ?? []
  if (first === undefined) return undefined
  const offset = Number(first)
  const end = last === undefined ? Number.MAX_SAFE_INTEGER : Number(last) + 1
  return end > offset ? { offset, length: end - offset } : undefined
}

/** Objects: put, list, get, how they do, renew and remove. References hold keys: none is ever logged. */
export function objectRoutes({ home, storage, transfers, stopping }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'PUT',
      url: '/api/v1/objects',
      scope: 'storage:write',
      summary: 'Stores the body as an object. Answers when all its shards are safe; until then nothing of it stays.',
      query: putQuery,
      upload: { mediaType: OCTETS, description: 'The data; Content-Length is optional.' },
      response: storedAnswer,
      handler: async ({ query }, { request, signal }) => {
        const size = sizeOf(request.headers['content-length'])
        // A put ends with its reference on this node's disk: refused before its data is sent through the network.
        const full = stateFault(home)
        if (full !== undefined) throw new WeftError({ ...full, retryable: true })
        const stored = await storage.put(uploadBody(request.raw), {
          ...(query.name === undefined ? {} : { name: query.name }),
          ...(query.class === undefined ? {} : { class: query.class }),
          ...(query.ttlMs === undefined ? {} : { ttlMs: query.ttlMs }),
          ...(size === undefined ? {} : { size }),
          private: query.private === 'true',
          signal,
        })
        return { schemaVersion: 1 as const, ...stored }
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/objects',
      scope: 'storage:read',
      summary: 'The objects that this node put, newest first.',
      response: objectsAnswer,
      handler: () => ({ schemaVersion: 1 as const, objects: storage.list() }),
    }),
    defineRawRoute({
      method: 'GET',
      url: '/api/v1/object',
      scope: 'storage:read',
      summary:
        'The data of an object, or with Range: bytes=FIRST-LAST or FIRST- a part of it. A failure after the first byte closes the connection before Content-Length bytes: /api/v1/transfers tells why.',
      query: z.strictObject({ ref, private: isPrivate }),
      raw: { mediaType: OCTETS, description: 'The data, verified before it is sent.' },
      handler: async ({ query }, { request, reply, signal }) => {
        const range = rangeOf(request.headers.range)
        const reader = await storage.get(query.ref, {
          signal,
          private: query.private === 'true',
          ...(range && { range }),
        })
        const sending = AbortSignal.any([signal, stopping])
        return sendObject(reply, reader, objectOf(query.ref), { range, signal: sending })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/object/stat',
      scope: 'storage:read',
      summary: 'The health of an object: its shards, who holds them, and in what state; of up to 256 segments.',
      body: z.strictObject({
        ref,
        first: z.int().min(0).max(MOST_SEGMENTS).optional().describe(FIRST),
        private: z.boolean().optional().describe(PRIVATE),
      }),
      response: objectStatusAnswer,
      handler: async ({ body }, { signal }) => ({
        schemaVersion: 1 as const,
        ...(await storage.stat(body.ref, { signal, first: body.first ?? 0, private: body.private ?? false })),
      }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/objects/:object/stat',
      scope: 'storage:read',
      summary: 'The health of an object of this node, by its id: no key leaves.',
      params: object,
      query: z.strictObject({ first: queryInteger(0, MOST_SEGMENTS).optional().describe(FIRST) }),
      response: ownObjectStatusAnswer,
      handler: async ({ params, query }, { signal }) => {
        const own = storage.list().find((one) => one.object === params.object)
        if (own === undefined) {
          throw new WeftError({
            code: 'E_OBJECT_UNKNOWN',
            cause: 'This node put no object with this id.',
            fix: 'See weft ls for its objects; others need their reference: weft stat REF.',
          })
        }
        const { ref: _, ...status } = await storage.stat(own.ref, { signal, first: query.first ?? 0 })
        return { schemaVersion: 1 as const, name: own.name, ...status }
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/objects/:object/renewal',
      scope: 'storage:write',
      summary:
        'Lets an object that this node put be kept for longer: its records and each holder are told once. What failed is tried again in the background until the former end; so it is when the caller goes away.',
      params: object,
      body: z.strictObject({
        ttlMs: z
          .int()
          .min(60_000)
          .max(365 * DAY_MS)
          .describe('ms from now until it expires; one that lasts as long already is left as it is'),
      }),
      response: renewalAnswer,
      handler: async ({ params, body }, { signal }) => ({
        schemaVersion: 1 as const,
        ...(await storage.renew(params.object, body.ttlMs, { signal })),
      }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/objects/:object/renewal',
      scope: 'storage:read',
      summary: 'How the last renewal of an object stands, since the daemon was started.',
      params: object,
      response: renewalAnswer,
      handler: ({ params }) => {
        const renewal = storage.renewal(params.object)
        if (renewal !== undefined) return { schemaVersion: 1 as const, ...renewal }
        throw new WeftError({
          code: 'E_OBJECT_UNKNOWN',
          cause: 'This node has renewed no object with this id since it was started.',
          fix: 'GET /api/v1/objects says until when each object is kept.',
        })
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/objects/:object',
      scope: 'storage:write',
      summary:
        'Removes an object that this node put: its key is destroyed, and each holder is asked once to delete it and to sign that it did. Who does not answer is asked again in the background; so it is when the caller goes away.',
      params: object,
      response: removalAnswer,
      handler: async ({ params }, { signal }) => ({
        schemaVersion: 1 as const,
        ...(await storage.remove(params.object, { signal })),
      }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/objects/:object/removal',
      scope: 'storage:read',
      summary: 'What the holders of an object that this node removed signed, and who is still asked.',
      params: object,
      response: removalAnswer,
      handler: ({ params }) => {
        const removal = storage.removal(params.object)
        if (removal !== undefined) return { schemaVersion: 1 as const, ...removal }
        throw new WeftError({
          code: 'E_OBJECT_UNKNOWN',
          cause: 'This node removed no object with this id.',
          fix: 'GET /api/v1/removals lists those that it removed.',
        })
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/removals',
      scope: 'storage:read',
      summary: 'The newest thousand objects that this node removed, newest first.',
      response: removalsAnswer,
      handler: () => ({
        schemaVersion: 1 as const,
        removals: storage.removals().map(removalRow),
      }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/audits',
      scope: 'storage:read',
      summary: 'What auditors found at this node, and what it found as an auditor: the newest 200 of each.',
      response: auditsAnswer,
      handler: () => ({ schemaVersion: 1 as const, own: storage.audits.own(), made: storage.audits.made() }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/transfers',
      scope: 'storage:read',
      summary: 'Transfers under way and the last hundred that ended, newest first.',
      response: transfersAnswer,
      handler: () => ({ schemaVersion: 1 as const, transfers: transfers.list(), totals: transfers.totals }),
    }),
  ]
}

function removalRow({ holders, ...removal }: ObjectRemoval): RemovalsAnswer['removals'][number] {
  const deleted = holders.filter(({ state }) => state === 'deleted').length
  return { ...removal, holders: holders.length, deleted }
}

/** Node refuses a Content-Length that is no number; one that cannot be counted exactly is refused here. */
function sizeOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const size = Number(header)
  if (!Number.isSafeInteger(size)) throw requestInvalid('Content-Length is too large.', 'Send at most 2^53 - 1 bytes.')
  return size
}

/** The object's id in a reference, for a header; empty when there is none of the expected form. */
function objectOf(reference: string): string {
  return /^weft:\/\/[^/#]{1,64}\/([A-Za-z0-9_-]{1,128})(?:#|$)/.exec(reference)?.[1] ?? ''
}
