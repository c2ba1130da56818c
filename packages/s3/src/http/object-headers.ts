import type { Checksums, ObjectMeta, ObjectVersion } from '@weft/storage'
import { MAX_METADATA_BYTES, MAX_OBJECT_TAGS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { type Headers, headerText, textHeader } from './headers.ts'
import { readTagHeader } from './tags.ts'

const KEPT = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires']
const META = 'x-amz-meta-'
const OWN_CLASSES = ['tiny', 'small', 'medium', 'vault'] as const

/** What a request asks for that would not be kept: refused rather than forgotten. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^x-amz-(copy-source-)?server-side-encryption-customer-/, 'Keys of the customer are not supported.'],
  [/^x-amz-server-side-encryption-(aws-kms|context|bucket)/, 'Keys of KMS are not supported.'],
  [/^x-amz-object-lock-/, 'Object Lock is not supported.'],
  [/^x-amz-website-redirect-location$/, 'Redirects are not supported.'],
  [/^x-amz-write-offset-bytes$/, 'Appending is not supported.'],
]

/** What a put says of its object beside the bytes. @throws S3Error */
export function readObjectMeta(headers: Headers): ObjectMeta {
  checkStorable(headers)
  const tagging = headers.get('x-amz-tagging')
  return {
    contentType: header(headers, 'content-type'),
    headers: keptHeaders(headers),
    metadata: readMetadata(headers),
    tags: tagging === undefined ? new Map() : readTagHeader(tagging, MAX_OBJECT_TAGS),
    class: readClass(headers.get('x-amz-storage-class')),
  }
}

/** @throws S3Error NotImplemented, AccessControlListNotSupported, InvalidArgument */
export function checkStorable(headers: Headers): void {
  for (const name of headers.keys()) {
    const refused = REFUSED.find(([pattern]) => pattern.test(name))
    if (refused !== undefined) throw new S3Error('NotImplemented', refused[1])
  }
  const encryption = headers.get('x-amz-server-side-encryption')
  if (encryption !== undefined && encryption !== 'AES256')
    throw new S3Error('NotImplemented', 'All objects are encrypted with keys of their own; AES256 may be asked for.')
  checkAcl(headers)
}

/** Everything belongs to one owner, who alone may: other ACLs are refused. @throws S3Error AccessControlListNotSupported */
export function checkAcl(headers: Headers): void {
  const acl = headers.get('x-amz-acl')
  const granted = [...headers.keys()].some((name) => name.startsWith('x-amz-grant-'))
  if (granted || (acl !== undefined && !/^(private|bucket-owner-full-control|bucket-owner-read)$/.test(acl)))
    throw new S3Error('AccessControlListNotSupported')
}

function keptHeaders(headers: Headers): ReadonlyMap<string, string> {
  const kept = new Map<string, string>()
  for (const name of KEPT) {
    const value = header(headers, name)
    const rest =
      name === 'content-encoding'
        ? value?.replaceAll(/(^|,)[ \t]*aws-chunked[ \t]*(?=,|$)/gi, '').replace(/^[, ]+/, '')
        : value
    if (rest !== undefined && rest !== '') kept.set(name, rest)
  }
  return kept
}

function readMetadata(headers: Headers): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>()
  let bytes = 0
  for (const [name, raw] of headers) {
    if (!name.startsWith(META)) continue
    const value = headerText(raw)
    metadata.set(name.slice(META.length), value)
    bytes += name.length - META.length + Buffer.byteLength(value, 'utf8')
  }
  if (bytes > MAX_METADATA_BYTES)
    throw new S3Error('MetadataTooLarge', undefined, {
      fields: { Size: String(bytes), MaxSizeAllowed: String(MAX_METADATA_BYTES) },
    })
  return metadata
}

function header(headers: Headers, name: string): string | undefined {
  const value = headers.get(name)
  if (value === undefined) return undefined
  if (value.length > 4_096) throw new S3Error('InvalidArgument', `${name} is too long.`)
  return headerText(value)
}

/** STANDARD is what the bucket has; the network's own classes have their names in upper case. */
function readClass(name: string | undefined): ObjectMeta['class'] {
  if (name === undefined || name === 'STANDARD') return undefined
  const own = OWN_CLASSES.find((each) => each.toUpperCase() === name)
  if (own === undefined) throw new S3Error('InvalidStorageClass')
  return own
}

export function classOf(entry: Pick<ObjectVersion, 'meta'>): string {
  return entry.meta.class?.toUpperCase() ?? 'STANDARD'
}

/** A version goes into an answer wherever the bucket keeps or kept several. */
export function versionHeader(entry: Pick<ObjectVersion, 'version'>, kept: boolean): Record<string, string> {
  return kept ? { 'x-amz-version-id': entry.version } : {}
}

export function checksumHeaders(checksums: Checksums, type = checksumType(checksums)): Record<string, string> {
  const entries = Object.entries(checksums)
  if (entries.length === 0) return {}
  const out: Record<string, string> = { 'x-amz-checksum-type': type }
  for (const [name, value] of entries) out[`x-amz-checksum-${name.toLowerCase()}`] = value
  return out
}

export function checksumType(checksums: Checksums): 'COMPOSITE' | 'FULL_OBJECT' {
  return Object.values(checksums).some((value) => value.includes('-')) ? 'COMPOSITE' : 'FULL_OBJECT'
}

/** Headers of what GET and HEAD answer, without those of a range. */
export function entryHeaders(entry: ObjectVersion): Record<string, string> {
  const { meta } = entry
  const out: Record<string, string> = {
    'content-type': textHeader(meta.contentType ?? '') || 'binary/octet-stream',
    etag: `"${entry.etag}"`,
    'last-modified': new Date(entry.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
  }
  for (const [name, value] of meta.headers) out[name] = textHeader(value) ?? ''
  let missing = 0
  for (const [name, value] of meta.metadata) {
    const text = textHeader(value)
    if (text === undefined) missing++
    else out[META + name] = text
  }
  if (missing > 0) out['x-amz-missing-meta'] = String(missing)
  if (meta.tags.size > 0) out['x-amz-tagging-count'] = String(meta.tags.size)
  if (meta.class !== undefined) out['x-amz-storage-class'] = classOf(entry)
  return out
}
