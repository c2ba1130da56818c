import { MAX_KEY_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { percentDecode } from './percent.ts'
import { Query } from './query.ts'

/** What a request is for. */
export interface Target {
  /** The whole path, decoded once: what is signed. */
  readonly path: string
  readonly query: Query
  readonly bucket: string | undefined
  readonly key: string | undefined
}

/**
 * Reads the request target and `Host`. A host that is `<bucket>.<one of domains>` names the bucket; else the first part of the path
 * does. @throws S3Error InvalidURI, KeyTooLongError
 */
export function readTarget(url: string, host: string, domains: readonly string[]): Target {
  if (!url.startsWith('/')) throw new S3Error('InvalidURI')
  const mark = url.indexOf('?')
  const rawPath = mark < 0 ? url : url.slice(0, mark)
  const query = Query.parse(mark < 0 ? '' : url.slice(mark + 1))
  const path = decoded(rawPath)
  const byHost = bucketOfHost(host, domains)
  if (byHost !== undefined) return { path, query, bucket: byHost, key: keyOf(rawPath.slice(1)) }
  const slash = rawPath.indexOf('/', 1)
  const bucket = decoded(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash))
  if (bucket === '') {
    if (rawPath !== '/') throw new S3Error('InvalidBucketName')
    return { path, query, bucket: undefined, key: undefined }
  }
  return { path, query, bucket, key: slash < 0 ? undefined : keyOf(rawPath.slice(slash + 1)) }
}

/** @throws S3Error KeyTooLongError */
export function checkKey(key: string): string {
  if (Buffer.byteLength(key, 'utf8') > MAX_KEY_BYTES)
    throw new S3Error('KeyTooLongError', undefined, { fields: { MaxSizeAllowed: String(MAX_KEY_BYTES) } })
  return key
}

function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.toLowerCase().replace(/:\d{1,5}$/, '')
  if (domains.includes(name)) return undefined
  // One domain may be within another: the longest is meant.
  const [domain] = domains.filter((each) => name.endsWith(`.${each}`)).toSorted((a, b) => b.length - a.length)
  return domain === undefined ? undefined : name.slice(0, -domain.length - 1)
}

function keyOf(raw: string): string | undefined {
  return raw === '' ? undefined : checkKey(decoded(raw))
}

function decoded(raw: string): string {
  const text = percentDecode(raw)
  if (text === undefined) throw new S3Error('InvalidURI')
  return text
}
