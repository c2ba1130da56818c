import { S3Error } from '../s3-error.ts'
import type { CredentialScope } from './credentials.ts'

export function mayUse(scope: CredentialScope, bucket: string): boolean {
  return scope.buckets === 'all' || scope.buckets.has(bucket)
}

/** @throws S3Error AccessDenied */
export function requireAccess(scope: CredentialScope, bucket: string, access: 'read' | 'write'): void {
  if (!mayUse(scope, bucket) || (access === 'write' && scope.access !== 'write')) throw new S3Error('AccessDenied')
}
