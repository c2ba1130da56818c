import type { ByteRange, Checksums, ObjectVersion } from '@weft/storage'
import { type Answer, type ObjectExchange, keepsVersions, letGo, versionAsked } from '../exchange.ts'
import { type Conditions, checkRead, readConditions } from '../http/conditions.ts'
import { textHeader } from '../http/headers.ts'
import { checksumHeaders, checksumType, entryHeaders, versionHeader } from '../http/object-headers.ts'
import { readRange } from '../http/range.ts'
import { MAX_PARTS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'

/** What answers may be told to say in place of what was stored: only of requests that are signed, which all are. */
const OVERRIDES: Readonly<Record<string, string>> = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'content-type',
  'response-expires': 'expires',
}

/** How often a read is begun anew when the object is replaced between looking at it and reading it. */
const ATTEMPTS = 4

interface Asked {
  readonly range: ByteRange | undefined
  readonly partial: boolean
  readonly parts: number | undefined
  /** Of what is answered. */
  readonly checksums: Checksums
}

export function headObject(exchange: ObjectExchange): Answer {
  const entry = lookUp(exchange)
  const conditions = readConditions(exchange.headers)
  const asked = conditional(exchange, entry, conditions)
  return { status: asked.partial ? 206 : 200, headers: headersOf(exchange, entry, asked) }
}

export async function getObject(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, signal, headers } = exchange
  const conditions = readConditions(headers)
  const version = versionAsked(exchange)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = lookUp(exchange)
    const asked = conditional(exchange, entry, conditions)
    const told = headersOf(exchange, entry, asked)
    const content = await buckets.get(bucket, key, {
      signal,
      version: version ?? entry.version,
      ...(asked.range === undefined ? {} : { range: asked.range }),
    })
    if (content.entry.etag === entry.etag && content.entry.modifiedAt === entry.modifiedAt)
      return {
        status: asked.partial ? 206 : 200,
        headers: told,
        body: { length: asked.range?.length ?? entry.size, bytes: content.body },
      }
    await letGo(content.body)
  }
  throw new S3Error('ServiceUnavailable', 'The object is replaced faster than it can be read.')
}

function lookUp(exchange: ObjectExchange): ObjectVersion {
  const version = versionAsked(exchange)
  const entry = exchange.buckets.head(exchange.bucket, exchange.key, version)
  if (entry.isDeleteMarker)
    throw new S3Error('MethodNotAllowed', undefined, {
      headers: {
        allow: 'DELETE',
        'last-modified': new Date(entry.modifiedAt).toUTCString(),
        'x-amz-delete-marker': 'true',
        'x-amz-version-id': entry.version,
      },
    })
  return entry
}

function conditional(exchange: ObjectExchange, entry: ObjectVersion, conditions: Conditions): Asked {
  try {
    checkRead(entry, conditions)
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== 'NotModified') throw error
    // What a cache needs to go on with what it has (RFC 9110, section 15.4.5).
    const { etag, 'last-modified': modified } = entryHeaders(entry)
    throw new S3Error('NotModified', undefined, { headers: { etag: etag ?? '', 'last-modified': modified ?? '' } })
  }
  const number = exchange.query.get('partNumber')
  if (number !== undefined) return partOf(entry, number, exchange.headers.has('range'))
  const range = readRange(exchange.headers.get('range'), entry.size)
  // A checksum of the whole is none of a range: a client would compare it with what it gets.
  return {
    range,
    partial: range !== undefined,
    parts: undefined,
    checksums: range === undefined ? entry.checksums : {},
  }
}

/** An object that was put whole has one part. */
function partOf(entry: ObjectVersion, text: string, ranged: boolean): Asked {
  if (ranged) throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter.')
  const number = Number(text)
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > MAX_PARTS)
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive.')
  const sizes = entry.parts.length === 0 ? [entry.size] : entry.parts.map(({ size }) => size)
  const length = sizes[number - 1]
  if (length === undefined) throw new S3Error('InvalidPartNumber')
  const offset = sizes.slice(0, number - 1).reduce((sum, size) => sum + size, 0)
  const parts = entry.parts.length === 0 ? undefined : entry.parts.length
  const range = length === entry.size ? undefined : { offset, length }
  return { range, partial: true, parts, checksums: checksumsOf(entry, number) }
}

/** A part's own, of the kind that the object has. */
function checksumsOf({ parts, checksums }: ObjectVersion, number: number): Checksums {
  if (parts.length === 0) return checksums
  const ofPart = Object.entries(parts[number - 1]?.checksums ?? {})
  return Object.fromEntries(ofPart.filter(([name]) => name in checksums))
}

function headersOf(exchange: ObjectExchange, entry: ObjectVersion, asked: Asked): Record<string, string> {
  const { range } = asked
  const out = {
    ...entryHeaders(entry),
    ...versionHeader(entry, keepsVersions(exchange)),
    'content-length': String(range?.length ?? entry.size),
  } as Record<string, string>
  if (asked.partial && entry.size > 0) {
    const first = range?.offset ?? 0
    out['content-range'] = `bytes ${first}-${first + (range?.length ?? entry.size) - 1}/${entry.size}`
  }
  if (asked.parts !== undefined) out['x-amz-mp-parts-count'] = String(asked.parts)
  if (exchange.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED')
    Object.assign(out, checksumHeaders(asked.checksums, checksumType(entry.checksums)))
  for (const [parameter, name] of Object.entries(OVERRIDES)) {
    const value = exchange.query.get(parameter)
    if (value === undefined) continue
    const text = textHeader(value)
    if (text === undefined) throw new S3Error('InvalidArgument', `${parameter} is not a value of a header.`)
    out[name] = text
  }
  return out
}
