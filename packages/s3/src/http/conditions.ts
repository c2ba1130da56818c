import type { ObjectVersion, Preconditions } from '@weft/storage'
import { S3Error } from '../s3-error.ts'
import type { Headers } from './headers.ts'

type Named = Pick<ObjectVersion, 'etag' | 'modifiedAt'>

/** The four conditions by their headers; `x-amz-copy-source-` before them for the source of a copy. */
export interface Conditions {
  readonly match: readonly string[] | undefined
  readonly noneMatch: readonly string[] | undefined
  readonly modifiedSince: number | undefined
  readonly unmodifiedSince: number | undefined
}

export function readConditions(headers: Headers, prefix = ''): Conditions {
  return {
    match: tagsOf(headers.get(`${prefix}if-match`)),
    noneMatch: tagsOf(headers.get(`${prefix}if-none-match`)),
    modifiedSince: secondsOf(headers.get(`${prefix}if-modified-since`)),
    unmodifiedSince: secondsOf(headers.get(`${prefix}if-unmodified-since`)),
  }
}

/**
 * In the order of RFC 9110, section 13.2.2: a condition by ETag makes that by date not count.
 * @throws S3Error PreconditionFailed, NotModified
 */
export function checkRead(entry: Named, conditions: Conditions): void {
  if (!stands(entry, conditions)) throw failed(conditions.match === undefined ? 'If-Unmodified-Since' : 'If-Match')
  if (isUnchanged(entry, conditions)) throw new S3Error('NotModified')
}

/** The same for the source of a copy, where nothing is "not modified". @throws S3Error PreconditionFailed */
export function checkCopySource(entry: Named, conditions: Conditions): void {
  if (!stands(entry, conditions) || isUnchanged(entry, conditions)) throw failed('x-amz-copy-source-if')
}

/**
 * Conditions of a write against what is there now; they are looked at again where it is carried out.
 * @throws S3Error PreconditionFailed, NoSuchKey, NotImplemented
 */
export function checkWrite(entry: Named | undefined, conditions: Conditions): Preconditions {
  const { match, noneMatch } = conditions
  if (noneMatch !== undefined && !noneMatch.includes('*'))
    throw new S3Error('NotImplemented', 'A write takes If-None-Match with * only.')
  if (match !== undefined && entry === undefined) throw new S3Error('NoSuchKey')
  if (entry !== undefined && (noneMatch !== undefined || !stands(entry, { ...conditions, noneMatch: undefined })))
    throw failed(noneMatch === undefined ? 'If-Match' : 'If-None-Match')
  return {
    ...(match === undefined ? {} : { ifMatch: match }),
    ...(noneMatch === undefined ? {} : { ifNoneMatch: noneMatch }),
  }
}

/** What a deletion is to find: nothing else is deleted then. */
export interface Expected {
  readonly match: readonly string[] | undefined
  /** Seconds since the epoch. */
  readonly modified: number | undefined
  /** Bytes. */
  readonly size: number | undefined
}

/**
 * As headers or elements say it; undefined where they say nothing.
 * @throws S3Error InvalidArgument for a date or a size that is none, which to pass over would be to delete unasked
 */
export function readExpected(etag?: string, modified?: string, size?: string): Expected | undefined {
  if (etag === undefined && modified === undefined && size === undefined) return undefined
  const seconds = secondsOf(modified)
  if (modified !== undefined && seconds === undefined)
    throw new S3Error('InvalidArgument', 'The time of last modification is not a date.')
  if (size !== undefined && !/^\d{1,16}$/.test(size)) throw new S3Error('InvalidArgument', 'The size is not a number.')
  return { match: tagsOf(etag), modified: seconds, size: size === undefined ? undefined : Number(size) }
}

/**
 * Where nothing is, only an ETag is missed. What was found is looked for again where the deletion is carried out.
 * @throws S3Error PreconditionFailed, NoSuchKey
 */
export function checkDeletion(
  entry: Pick<ObjectVersion, 'etag' | 'modifiedAt' | 'size'> | undefined,
  { match, modified, size }: Expected,
): Preconditions {
  if (entry === undefined && match !== undefined) throw new S3Error('NoSuchKey')
  if (entry === undefined) return { ifNoneMatch: ['*'] }
  if (match !== undefined && !match.includes('*') && !match.includes(entry.etag)) throw failed('If-Match')
  if (modified !== undefined && Math.floor(entry.modifiedAt / 1_000) !== modified)
    throw failed('x-amz-if-match-last-modified-time')
  if (size !== undefined && size !== entry.size) throw failed('x-amz-if-match-size')
  const byETag = modified === undefined && size === undefined
  return { ifMatch: byETag && match !== undefined ? match : [entry.etag] }
}

function stands(entry: Named, { match, unmodifiedSince }: Conditions): boolean {
  if (match !== undefined) return match.includes('*') || match.includes(entry.etag)
  return unmodifiedSince === undefined || Math.floor(entry.modifiedAt / 1_000) <= unmodifiedSince
}

function isUnchanged(entry: Named, { noneMatch, modifiedSince }: Conditions): boolean {
  if (noneMatch !== undefined) return noneMatch.includes('*') || noneMatch.includes(entry.etag)
  return modifiedSince !== undefined && Math.floor(entry.modifiedAt / 1_000) <= modifiedSince
}

function failed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', undefined, { fields: { Condition: condition } })
}

/** ETags without quotes, with or without `W/`. */
function tagsOf(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return undefined
  return header.split(',').map((each) => unquoted(each.trim().replace(/^W\//, '')))
}

export function unquoted(etag: string): string {
  return /^"(.*)"$/.exec(etag)?.[1] ?? etag
}

/** A date that is none does not count (RFC 9110, section 13.1.3). */
function secondsOf(header: string | undefined): number | undefined {
  const time = header === undefined ? Number.NaN : Date.parse(header)
  return Number.isNaN(time) ? undefined : Math.floor(time / 1_000)
}
