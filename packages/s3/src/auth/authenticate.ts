import type { Headers } from '../http/headers.ts'
import type { Query } from '../http/query.ts'
import { MAX_SKEW_MS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { canonicalRequest, stringToSign } from './canonical-request.ts'
import type { Credential, Credentials } from './credentials.ts'
import { type SignedParts, readSignedParts, timeOf } from './signed-parts.ts'
import { sameSignature, sign, signingKey } from './signing.ts'

/** What the signatures of chunks and trailers go on from. */
export interface SignatureSeed {
  readonly signature: string
  readonly key: Uint8Array
  readonly timestamp: string
  readonly scope: string
}

export interface Caller {
  readonly credential: Credential
  readonly seed: SignatureSeed
  /** What `x-amz-content-sha256` says of the body, and the signature covers. */
  readonly payload: string
  readonly presigned: boolean
}

export interface Unproven {
  readonly method: string
  /** Decoded. */
  readonly path: string
  readonly query: Query
  readonly headers: Headers
}

/** Who asks: found by the signature alone, before anything of the body is read. @throws S3Error */
export function authenticate(request: Unproven, credentials: Credentials, now: number): Caller {
  const parts = readSignedParts(request.headers, request.query)
  if (parts === undefined) throw new S3Error('AccessDenied')
  const presigned = parts.expires !== undefined
  checkTime(parts, now)
  const payload =
    request.headers.get('x-amz-content-sha256') ??
    (presigned ? (request.query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD') : undefined)
  if (payload === undefined)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  checkSigned(request.headers, parts.signedHeaders)
  const credential = credentials.find(parts.accessKeyId)
  if (credential === undefined) throw new S3Error('InvalidAccessKeyId')
  const key = signingKey(credential.secretAccessKey, parts.date, parts.region, parts.service)
  const scope = `${parts.date}/${parts.region}/${parts.service}/aws4_request`
  const canonical = canonicalRequest({ ...request, signedHeaders: parts.signedHeaders, payload })
  const signature = sign(key, stringToSign(parts.timestamp, scope, canonical))
  if (!sameSignature(signature, parts.signature)) throw new S3Error('SignatureDoesNotMatch')
  return { credential, seed: { signature, key, timestamp: parts.timestamp, scope }, payload, presigned }
}

function checkTime(parts: SignedParts, now: number): void {
  const then = timeOf(parts.timestamp) ?? 0
  if (parts.expires === undefined) {
    if (Math.abs(now - then) > MAX_SKEW_MS) throw new S3Error('RequestTimeTooSkewed')
    return
  }
  if (then - now > MAX_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not valid yet.')
  if (now - then > parts.expires * 1_000) throw new S3Error('AccessDenied', 'Request has expired.')
}

/** Whoever is between could add to a request what was not signed: no header that says something to S3 is taken then. */
function checkSigned(headers: Headers, signed: readonly string[]): void {
  const names = new Set(signed)
  const unsigned = [...headers.keys()].filter((name) => name.startsWith('x-amz-') && !names.has(name))
  if (unsigned.length > 0)
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed.', {
      fields: { HeadersNotSigned: unsigned.join(', ') },
    })
}
