import { type Answer, type ObjectExchange, keepsVersions, latest } from '../exchange.ts'
import { checkWrite, readConditions } from '../http/conditions.ts'
import { checkLength } from '../http/headers.ts'
import { checksumHeaders, readObjectMeta, versionHeader } from '../http/object-headers.ts'

export async function putObject(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, body, headers, signal } = exchange
  const kept = keepsVersions(exchange)
  checkLength(headers)
  const meta = readObjectMeta(headers)
  const preconditions = checkWrite(latest(exchange), readConditions(headers))
  const entry = await buckets.put(bucket, key, body.read(), {
    ...preconditions,
    meta,
    size: body.size,
    ...(body.md5 === undefined ? {} : { md5: body.md5 }),
    checksums: () => body.checksums(),
    ...(body.checksumName === undefined ? {} : { algorithms: [body.checksumName] }),
    signal,
  })
  return {
    status: 200,
    headers: {
      etag: `"${entry.etag}"`,
      ...checksumHeaders(body.checksums()),
      ...versionHeader(entry, kept),
    },
  }
}
