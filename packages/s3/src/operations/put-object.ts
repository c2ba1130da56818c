import { type Answer, type ObjectExchange, keepsVersions, latest } from '../exchange.ts'
import { checkWrite, readConditions } from '../http/conditions.ts'
import { checkLength } from '../http/headers.ts'
import { checksumHeaders, readObjectMeta, versionHeader } from '../http/object-headers.ts'

export async function putObject(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, body, headers, place, signal } = exchange
  const kept = keepsVersions(exchange)
  checkLength(headers)
  const meta = readObjectMeta(headers)
  const preconditions = checkWrite(latest(exchange), readConditions(headers))
  const options = {
    ...preconditions,
    meta,
    size: body.size,
    ...(body.md5 === undefined ? {} : { md5: body.md5 }),
    checksums: () => body.checksums(),
    ...(body.checksumName === undefined ? {} : { algorithms: [body.checksumName] }),
    signal,
  }
  const entry = await place.storing(() => buckets.put(bucket, key, body.read(), options), signal)
  return {
    status: 200,
    headers: {
      etag: `"${entry.etag}"`,
      ...checksumHeaders(body.checksums()),
      ...versionHeader(entry, kept),
    },
  }
}
