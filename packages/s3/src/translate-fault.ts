import { isWeftError } from '@weft/core'
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
  E_ABORTED: 'RequestTimeout',
}

/** What a client is answered for whatever was thrown. Causes of the storage's own faults are its owner's, and told in its log alone. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  if (!isWeftError(error)) return new S3Error('InternalError')
  const code = BY_CODE[error.code]
  if (code === 'NoSuchKey') return noSuchKey(error.details)
  if (code !== undefined) return new S3Error(code)
  return new S3Error(error.retryable ? 'ServiceUnavailable' : 'InternalError', undefined, {
    fields: { Cause: error.code },
  })
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
