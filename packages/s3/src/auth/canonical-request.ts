import { percentEncode } from '../http/percent.ts'
import type { Headers } from '../http/headers.ts'
import type { Query } from '../http/query.ts'
import { sha256Hex } from './signing.ts'

export interface CanonicalParts {
  readonly method: string
  /** Decoded once. S3 neither encodes twice nor takes `.`, `..` or double slashes away. */
  readonly path: string
  readonly query: Query
  readonly headers: Headers
  /** Lower case, in the order in which the client signed them. */
  readonly signedHeaders: readonly string[]
  /** SHA-256 in hexadecimal, or the name of a mode. */
  readonly payload: string
}

/** The canonical request of Signature Version 4, a character for each byte. */
export function canonicalRequest(parts: CanonicalParts): string {
  const headers = parts.signedHeaders.map((name) => `${name}:${trimmed(parts.headers.get(name) ?? '')}\n`).join('')
  return [
    parts.method,
    percentEncode(parts.path, '/'),
    parts.query.canonical('X-Amz-Signature'),
    headers,
    parts.signedHeaders.join(';'),
    parts.payload,
  ].join('\n')
}

/** @param timestamp YYYYMMDDTHHMMSSZ. @param scope date/region/service/aws4_request */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return ['AWS4-HMAC-SHA256', timestamp, scope, sha256Hex(canonical)].join('\n')
}

function trimmed(value: string): string {
  return value.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '')
}
