import type { Buckets, ObjectVersion } from '@weft/storage'
import { requireAccess } from './auth/permission.ts'
import type { Caller } from './auth/authenticate.ts'
import type { RequestBody } from './body/request-body.ts'
import type { Headers } from './http/headers.ts'
import type { Query } from './http/query.ts'
import type { Place } from './request-places.ts'
import { S3Error } from './s3-error.ts'
import { means } from './translate-fault.ts'

/** Whom everything belongs to, as answers have it. */
export interface Owner {
  readonly id: string
  readonly name: string
}

/** One request whose signature was right, and what it is answered from. */
export interface Exchange {
  readonly buckets: Buckets
  readonly owner: Owner
  readonly region: string
  readonly method: string
  readonly path: string
  readonly query: Query
  readonly headers: Headers
  readonly caller: Caller
  readonly body: RequestBody
  readonly place: Place
  /** Fires when the client is gone or the server closes. */
  readonly signal: AbortSignal
}

/** A request for a bucket, or for a key in it. */
export interface BucketExchange extends Exchange {
  readonly bucket: string
}
export interface ObjectExchange extends BucketExchange {
  readonly key: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | { readonly length: number; readonly bytes: AsyncIterable<Uint8Array> }
}

const XML_TYPE = { 'content-type': 'application/xml' } as const

export function xmlAnswer(body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers: { ...XML_TYPE, ...headers }, body }
}

/** The version that the query asks for. @throws S3Error InvalidArgument */
export function versionAsked({ query }: Pick<Exchange, 'query'>): string | undefined {
  const version = query.get('versionId')
  if (version === '') throw new S3Error('InvalidArgument', 'Version id cannot be the empty string.')
  if (version !== undefined && !/^[\w.-]{1,128}$/.test(version))
    throw new S3Error('InvalidArgument', 'Invalid version id specified.')
  return version
}

/** What is there now under a key; undefined where nothing is. */
export function latest(exchange: ObjectExchange): ObjectVersion | undefined {
  try {
    return exchange.buckets.head(exchange.bucket, exchange.key)
  } catch (error) {
    if (means(error, 'NoSuchKey')) return undefined
    throw error
  }
}

/** Of what will not be read: storage holds it for whoever might. */
export async function letGo(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await bytes[Symbol.asyncIterator]().return?.()
}

/** Whether versions of this bucket have ids that clients are told. */
export function keepsVersions({ buckets, bucket }: BucketExchange): boolean {
  return buckets.bucket(bucket).versioning !== 'off'
}

export function allow(exchange: Exchange, bucket: string, access: 'read' | 'write'): void {
  requireAccess(exchange.caller.credential.scope, bucket, access)
}

/** Whom a client expects buckets to belong to: it would rather be refused than ask somebody else. @throws S3Error AccessDenied */
export function checkOwner({ headers, owner }: Exchange, header: string): void {
  const expected = headers.get(header)
  if (expected !== undefined && expected !== owner.id) throw new S3Error('AccessDenied')
}

/** A whole number within limits; `otherwise` without one. @throws S3Error InvalidArgument */
export function numberOf(
  from: { get(name: string): string | undefined },
  name: string,
  otherwise: number,
  most: number,
): number {
  const text = from.get(name)
  if (text === undefined || text === '') return otherwise
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1)
    throw new S3Error('InvalidArgument', `Argument ${name} must be an integer between 0 and 2147483647.`, {
      fields: { ArgumentName: name },
    })
  return Math.min(Number(text), most)
}
