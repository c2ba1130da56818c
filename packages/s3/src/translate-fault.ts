import { type WeftError, isWeftError } from '@weft/core'
import { S3Error, type S3Code } from './s3-error.ts'

const BY_CODE: Readonly<Record<string, S3Code>> = {
  E_BUCKET_NAME: 'InvalidBucketName',
  E_BUCKET_UNKNOWN: 'NoSuchBucket',
  E_BUCKET_EXISTS: 'BucketAlreadyOwnedByYou',
  E_BUCKET_NOT_EMPTY: 'BucketNotEmpty',
  E_KEY_NAME: 'InvalidArgument',
  E_KEY_UNKNOWN: 'NoSuchKey',
  E_VERSION_UNKNOWN: 'NoSuchVersion',
  E_PRECONDITION: 'PreconditionFailed',
  E_NOT_MODIFIED: 'NotModified',
  E_DIGEST: 'BadDigest',
  E_UPLOAD_UNKNOWN: 'NoSuchUpload',
  E_PART_UNKNOWN: 'InvalidPart',
  E_PART_ORDER: 'InvalidPartOrder',
  E_PART_SMALL: 'EntityTooSmall',
  E_RANGE: 'InvalidRange',
  E_QUOTA: 'QuotaExceeded',
  E_DISK_FULL: 'QuotaExceeded',
  // Whoever owns it removed the object itself: what has the name has no bytes any more.
  E_OBJECT_REMOVED: 'NoSuchKey',
  E_ABORTED: 'RequestTimeout',
}

/** What a client is answered for whatever was thrown. Causes of the storage's own faults are its owner's, and told in its log alone. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  if (!isWeftError(error)) return new S3Error('InternalError')
  const code = isForWantOfRoom(error) ? 'QuotaExceeded' : BY_CODE[error.code]
  if (code === 'NoSuchKey') return noSuchKey(error.details)
  if (code !== undefined) return new S3Error(code)
  return new S3Error(error.retryable ? 'ServiceUnavailable' : 'InternalError', undefined, {
    fields: { Cause: error.code },
  })
}

/** All holders that fell out of a put were full: the same request would not succeed soon. */
function isForWantOfRoom({ code, details }: WeftError): boolean {
  const lost: unknown = details['lost']
  if (code !== 'E_HOLDERS_LOST' || !Array.isArray(lost) || lost.length === 0) return false
  return lost.every((each: { readonly code?: unknown }) => each.code === 'E_QUOTA' || each.code === 'E_DISK_FULL')
}

/** Whether a client would be answered that. */
export function means(error: unknown, code: S3Code): boolean {
  return toS3Error(error).code === code
}

/** A delete marker that is the latest says so beside the 404. */
function noSuchKey(details: Readonly<Record<string, unknown>>): S3Error {
  if (details['deleteMarker'] !== true) return new S3Error('NoSuchKey')
  const version = typeof details['version'] === 'string' ? { 'x-amz-version-id': details['version'] } : {}
  return new S3Error('NoSuchKey', undefined, { headers: { 'x-amz-delete-marker': 'true', ...version } })
}
