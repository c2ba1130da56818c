import type { ObjectMeta, ObjectVersion } from '@weft/storage'
import { type Answer, type ObjectExchange, allow, checkOwner, keepsVersions, latest, xmlAnswer } from '../exchange.ts'
import { checkCopySource, checkWrite, readConditions } from '../http/conditions.ts'
import { versionHeader, checkStorable, readObjectMeta } from '../http/object-headers.ts'
import { percentDecode } from '../http/percent.ts'
import { checkKey } from '../http/target.ts'
import { MAX_PUT_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { writeXml } from '../xml/write-xml.ts'
import { checksumNodes } from './nodes.ts'

export interface CopySource {
  readonly bucket: string
  readonly key: string
  readonly version?: string
}

/** `x-amz-copy-source`: a bucket and a key, encoded or not, and a version behind a question mark. @throws S3Error InvalidArgument */
export function readCopySource(header: string): CopySource {
  const invalid = (): S3Error =>
    new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  const match = /^\/?([^/?]+)\/(.*?)(?:\?versionId=([\w.-]{1,128}))?$/s.exec(header)
  const [, bucket, rawKey, version] = match ?? []
  // What is not percent-encoded at all is taken as it stands, in UTF-8.
  const key = rawKey === undefined ? undefined : percentDecode(escapeBytes(rawKey))
  if (bucket === undefined || key === undefined || key === '') throw invalid()
  return { bucket, key: checkKey(key), ...(version === undefined ? {} : { version }) }
}

function escapeBytes(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** The source, looked at: with its version, so that what is copied is what the conditions were of. */
export function findCopySource(exchange: ObjectExchange): { readonly from: CopySource; readonly entry: ObjectVersion } {
  const from = readCopySource(exchange.headers.get('x-amz-copy-source') ?? '')
  allow(exchange, from.bucket, 'read')
  checkOwner(exchange, 'x-amz-source-expected-bucket-owner')
  const entry = exchange.buckets.head(from.bucket, from.key, from.version)
  if (entry.isDeleteMarker)
    throw new S3Error(
      'InvalidRequest',
      'The source of a copy request may not specifically refer to a delete marker by version id.',
    )
  checkCopySource(entry, readConditions(exchange.headers, 'x-amz-copy-source-'))
  return { from: { ...from, version: entry.version }, entry }
}

export async function copyObject(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, headers, signal } = exchange
  const kept = keepsVersions(exchange)
  checkStorable(headers)
  const { from, entry } = findCopySource(exchange)
  if (entry.size > MAX_PUT_BYTES)
    throw new S3Error(
      'InvalidRequest',
      'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
    )
  const meta = metaOfCopy(exchange, entry)
  const asked = readCopySource(headers.get('x-amz-copy-source') ?? '')
  if (meta === undefined && asked.version === undefined && from.bucket === bucket && from.key === key)
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  const preconditions = checkWrite(latest(exchange), readConditions(headers))
  const copy = await buckets.copy(
    from,
    { bucket, key },
    {
      ...preconditions,
      ...(meta === undefined ? {} : { meta }),
      signal,
    },
  )
  const sourceKept = buckets.bucket(from.bucket).versioning !== 'off'
  return xmlAnswer(
    writeXml('CopyObjectResult', [
      ['LastModified', new Date(copy.modifiedAt).toISOString()],
      ['ETag', `"${copy.etag}"`],
      ...checksumNodes(copy.checksums),
    ]),
    {
      ...versionHeader(copy, kept),
      ...(sourceKept ? { 'x-amz-copy-source-version-id': entry.version } : {}),
    },
  )
}

/** Undefined where all is as it was at the source. @throws S3Error InvalidArgument */
function metaOfCopy({ headers }: ObjectExchange, entry: ObjectVersion): ObjectMeta | undefined {
  const replaceMeta = directive(headers.get('x-amz-metadata-directive'), 'metadata')
  const replaceTags = directive(headers.get('x-amz-tagging-directive'), 'tagging')
  const given = readObjectMeta(headers)
  const changesClass = headers.has('x-amz-storage-class') && given.class !== entry.meta.class
  if (!replaceMeta && !replaceTags && !changesClass) return undefined
  const from = replaceMeta ? given : entry.meta
  return {
    contentType: from.contentType,
    headers: from.headers,
    metadata: from.metadata,
    tags: replaceTags ? given.tags : entry.meta.tags,
    class: headers.has('x-amz-storage-class') ? given.class : entry.meta.class,
  }
}

function directive(value: string | undefined, what: string): boolean {
  if (value !== undefined && value !== 'COPY' && value !== 'REPLACE')
    throw new S3Error('InvalidArgument', `Unknown ${what} directive.`)
  return value === 'REPLACE'
}
