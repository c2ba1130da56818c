import { MAX_HEADERS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { decodeUtf8 } from './percent.ts'

/** Headers that decide who asks for what: two of them are a request that somebody else may read otherwise. */
const ONCE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'expect',
  'host',
  'if-match',
  'if-none-match',
  'range',
  'transfer-encoding',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
])

/** Lower-case names, values as they came: a character for each byte. What comes more than once is joined with commas. */
export type Headers = ReadonlyMap<string, string>

/** @param raw names and values in turn, as node:http has them. @throws S3Error InvalidRequest */
export function readHeaders(raw: readonly string[]): Headers {
  const headers = new Map<string, string>()
  if (raw.length > 2 * MAX_HEADERS) throw new S3Error('RequestHeaderSectionTooLarge')
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase()
    const value = raw[at + 1] ?? ''
    const before = headers.get(name)
    if (before !== undefined && ONCE.has(name)) throw new S3Error('InvalidRequest', `There is more than one ${name}.`)
    headers.set(name, before === undefined ? value : `${before},${value}`)
  }
  return headers
}

/** Of RFC 9110, section 5.6.2, in lower case. */
export function isHeaderName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(name)
}

/** An upload says how long it is: without a word of it a body that was lost would be an empty object. @throws S3Error MissingContentLength */
export function checkLength(headers: Headers): void {
  if (!headers.has('content-length') && !headers.has('x-amz-decoded-content-length'))
    throw new S3Error('MissingContentLength')
}

/** A header's bytes as text: UTF-8, or Latin-1 where they are not. */
export function headerText(value: string): string {
  return decodeUtf8(Buffer.from(value, 'latin1')) ?? value
}

/** Text as a header's bytes. Undefined where it has a character that no header may have. */
export function textHeader(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return undefined
  }
  return Buffer.from(text, 'utf8').toString('latin1')
}
