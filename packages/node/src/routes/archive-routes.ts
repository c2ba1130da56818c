import * as z from 'zod'
import { WeftError } from '@weft/core'
import { stateFault } from '../health/state-fault.ts'
import { type Route, defineRawRoute, defineRoute } from '../http/route.ts'
import { sendStream } from '../http/send-object.ts'
import { uploadBody } from '../http/upload-body.ts'
import { importAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

const OCTETS = 'application/octet-stream'

/** Everything of a person in one archive, out and in. It holds keys, in the clear: who asks seals it. */
export function archiveRoutes({ home, archives, stopping }: ApiServices): Route[] {
  return [
    defineRawRoute({
      method: 'GET',
      url: '/api/v1/archive',
      scope: 'storage:admin',
      summary:
        'All own objects and buckets as a pax archive, with the keys that own them. Weft-Expected-Bytes tells about how many bytes come; a failure closes the connection before the last chunk.',
      query: z.strictObject({
        content: z.enum(['true', 'false']).optional().describe('false: the keys of objects alone; default true'),
      }),
      raw: { mediaType: OCTETS, description: 'The archive.' },
      handler: ({ query }, { reply, signal }) => {
        const sending = AbortSignal.any([signal, stopping])
        const { expected, body } = archives.export({ content: query.content !== 'false', signal: sending })
        return sendStream(reply, body, { 'weft-expected-bytes': expected }, sending)
      },
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/archive',
      scope: 'storage:write',
      summary:
        'Imports an archive, and answers when all of it is safe. What was imported before a failure stays, and is seen as present the next time.',
      upload: { mediaType: OCTETS, description: 'The archive; Content-Length is optional.' },
      response: importAnswer,
      handler: async (_, { request, signal }) => {
        const full = stateFault(home)
        if (full !== undefined) throw new WeftError({ ...full, retryable: true })
        const report = await archives.import(uploadBody(request.raw), { signal })
        return { schemaVersion: 1 as const, ...report }
      },
    }),
  ]
}
