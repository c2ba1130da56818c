import * as z from 'zod'
import { WeftError } from '@weft/core'
import { type Route, defineRoute } from '../http/route.ts'
import { covers } from '../http/scopes.ts'
import { newS3KeyAnswer, revokedS3KeyAnswer, s3KeysAnswer, takeoverAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes, underscores')
const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket: 3 to 63 of a-z, 0-9, '.' and '-'")

/** Keys of the S3 API, which are another way to what tokens of storage lead to. */
export function s3Routes({ s3, buckets }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/s3/keys',
      scope: 'storage:admin',
      summary: 'The keys of the S3 API, without their secrets.',
      response: s3KeysAnswer,
      handler: () => ({ schemaVersion: 1 as const, keys: s3.keys() }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/s3/keys',
      scope: 'storage:admin',
      summary: 'Makes a key of the S3 API. Its secret is in this answer, and shown nowhere else.',
      body: z.strictObject({
        name: name.optional(),
        buckets: z.array(bucket).min(1).max(64).optional().describe('Without it all, those to come as well'),
        access: z.enum(['read', 'write']).default('write'),
      }),
      response: newS3KeyAnswer,
      handler: async ({ body }, { caller }) => {
        if (!covers(caller.grants, body.access === 'read' ? ['storage:read'] : ['storage:read', 'storage:write'])) {
          throw new WeftError({
            code: 'E_SCOPE_MISSING',
            cause: `The ${caller.kind} '${caller.name}' cannot make a key that may do more than it.`,
            fix: 'Ask for a key that reads, or make it on the machine of the daemon: weft s3 key create.',
          })
        }
        const key = await s3.create(body)
        const { host, port } = s3.status()
        return {
          schemaVersion: 1 as const,
          ...key,
          endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
        }
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/s3/keys/:key',
      scope: 'storage:admin',
      summary: 'Revokes a key of the S3 API by its id or name.',
      params: z.object({ key: z.string().min(1).max(64) }),
      response: revokedS3KeyAnswer,
      handler: async ({ params }) => ({ schemaVersion: 1 as const, revoked: await s3.revoke(params.key) }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/s3/takeover',
      scope: 'storage:admin',
      summary:
        'Makes this machine the one of this person that writes the buckets: what is in the network takes the place of what is here. It goes on when the caller goes away.',
      response: takeoverAnswer,
      handler: async () => {
        await buckets.takeOver()
        return { schemaVersion: 1 as const, buckets: buckets.all().map((one) => one.name) }
      },
    }),
  ]
}
