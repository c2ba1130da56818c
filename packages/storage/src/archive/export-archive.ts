import { type Clock, isWeftError, throwIfAborted, toBase64Url, toHex, utf8 } from '@weft/core'
import { sha256, wipe } from '@weft/crypto'
import { isBodyName } from '../buckets/bodies.ts'
import type { Bucket, Buckets, ObjectVersion } from '../buckets/buckets.ts'
import { metaRecord } from '../buckets/catalog-records.ts'
import type { ObjectIndex } from '../object/object-index.ts'
import type { GetOptions, Storage, StorageClass, StoredObject } from '../storage.ts'
import type { ArchiveStream, ExportOptions } from './archives.ts'
import { type BucketMember, type Member, type VersionMember, archiveMember, encodeMember } from './archive-member.ts'
import { tarEnd, tarHead, tarPadding } from './tar-head.ts'

/** What stands in front of a member at most, as a rule, bytes; for what is expected. */
const HEAD_SIZE = 2_048
/** How often a body that broke off is taken up again where it did. */
const RESUMES = 3

/** Bytes that a file system takes in one part of a path, with room; and of what tells those apart that are cut. */
const MAX_PART = 240
const CUT_MARK = 17

const README = `This archive was made by \`weft export\`: everything of a person on a Weft network, in one file.
objects/ has what \`weft put\` stored, buckets/ the latest version of each key of the S3 buckets, versions/ the older ones.
\`weft import\` takes it back. The extended headers of the archive hold the keys that own the objects: keep it sealed.
`

export interface ExportParts {
  readonly storage: Pick<Storage, 'list' | 'get'>
  readonly buckets: Pick<Buckets, 'all' | 'listVersions' | 'get'>
  readonly index: Pick<ObjectIndex, 'seedOf' | 'holdersOf'>
  readonly networkId: string
  readonly clock: Clock
}

/** All that this person has: own objects, oldest first, then the buckets with their versions. */
export function exportArchive(parts: ExportParts, options: ExportOptions): ArchiveStream {
  const hasContent = options.content !== false
  // The bodies of named objects come with the names.
  const objects = parts.storage
    .list()
    .filter(({ name }) => !isBodyName(name))
    .toReversed()
  const buckets = hasContent ? parts.buckets.all() : []
  let expected = 3 * HEAD_SIZE + README.length
  for (const { size } of objects) expected += HEAD_SIZE + (hasContent ? size : 0)
  for (const { name } of buckets) {
    for (const { size } of allVersions(parts.buckets, name)) expected += HEAD_SIZE + size
  }
  return { expected, body: members(parts, { objects, buckets, hasContent, signal: options.signal }) }
}

interface Exported {
  readonly objects: readonly StoredObject[]
  readonly buckets: readonly Bucket[]
  readonly hasContent: boolean
  readonly signal: AbortSignal | undefined
}

async function* members(parts: ExportParts, all: Exported): AsyncGenerator<Uint8Array> {
  const { clock, networkId } = parts
  const now = clock.now()
  yield* member('README.txt', archiveMember(networkId, now), now, textBody(README))
  let objects = 0
  for (const object of all.objects) {
    throwIfAborted(all.signal)
    if (yield* exportedObject(parts, object, all)) objects++
  }
  let versions = 0
  for (const bucket of all.buckets) {
    yield* member(`buckets/${bucket.name}/.bucket`, bucketMember(bucket), bucket.createdAt)
    for (const version of oldestFirst(parts.buckets, bucket.name)) {
      throwIfAborted(all.signal)
      if (yield* exportedVersion(parts, bucket.name, version, all)) versions++
    }
  }
  yield* member('end', { kind: 'end', objects, versions }, now)
  yield tarEnd()
}

/** False when it was removed meanwhile. */
async function* exportedObject(
  { storage, index }: ExportParts,
  stored: StoredObject,
  { hasContent, signal }: Exported,
): AsyncGenerator<Uint8Array, boolean> {
  const secret = index.seedOf(stored.object)
  if (secret === undefined) return false
  const seed = toBase64Url(secret)
  wipe(secret)
  const { object, ref, name, size, class: className, createdAt, expiresAt, private: isPrivate } = stored
  const open = async (options: GetOptions): Promise<AsyncIterable<Uint8Array>> =>
    (await storage.get(ref, { ...options, ...(signal && { signal }) })).body
  const content = hasContent ? await readable(open, size) : LEFT_OUT
  yield* member(
    `objects/${object}/${pathPart(name)}`,
    {
      kind: 'object',
      content: 'body' in content,
      why: 'why' in content ? content.why : undefined,
      object,
      ref,
      seed,
      name,
      size,
      class: className as StorageClass['name'],
      createdAt,
      expiresAt,
      private: isPrivate,
      holders: index.holdersOf(object),
    },
    createdAt,
    'body' in content ? { size, bytes: content.body } : undefined,
  )
  return true
}

/** False when it was deleted meanwhile. */
async function* exportedVersion(
  { buckets }: ExportParts,
  bucket: string,
  entry: ObjectVersion,
  { signal }: Exported,
): AsyncGenerator<Uint8Array, boolean> {
  const { key, version, isLatest, isDeleteMarker, size, etag, modifiedAt, meta, checksums, parts } = entry
  const open = async (options: GetOptions): Promise<AsyncIterable<Uint8Array>> =>
    (await buckets.get(bucket, key, { ...options, version, ...(signal && { signal }) })).body
  const content = isDeleteMarker ? LEFT_OUT : await readable(open, size)
  if ('why' in content && GONE.has(content.why)) return false
  const said: VersionMember = {
    kind: 'version',
    content: 'body' in content,
    why: isDeleteMarker || !('why' in content) ? undefined : content.why,
    bucket,
    key,
    version,
    isLatest,
    isDeleteMarker,
    size,
    etag,
    modifiedAt,
    meta: metaRecord(meta),
    checksums,
    parts: parts.map((part) => part.size),
  }
  const path = key.split('/').map(pathPart).join('/')
  yield* member(
    isLatest && !isDeleteMarker ? `buckets/${bucket}/${path}` : `versions/${bucket}/${path}/${version}`,
    said,
    modifiedAt,
    'body' in content ? { size, bytes: content.body } : undefined,
  )
  return true
}

const LEFT_OUT = { why: 'left-out' } as const
const GONE: ReadonlySet<string> = new Set(['E_KEY_UNKNOWN', 'E_VERSION_UNKNOWN', 'E_BUCKET_UNKNOWN'])

type Open = (options: GetOptions) => Promise<AsyncIterable<Uint8Array>>

/** The body, its first bytes fetched, so that its header can say that it follows; or the code of why it cannot be read. */
async function readable(
  open: Open,
  size: number,
): Promise<{ readonly body: AsyncIterable<Uint8Array> } | { readonly why: string }> {
  try {
    const bytes = (await open({}))[Symbol.asyncIterator]()
    return { body: resumed(open, size, bytes, await bytes.next()) }
  } catch (error) {
    if (!isWeftError(error) || error.code === 'E_ABORTED') throw error
    return { why: error.code }
  }
}

/** Passes a body on; where it breaks off it is opened again from there: the header has promised all of it. */
async function* resumed(
  open: Open,
  size: number,
  opened: AsyncIterator<Uint8Array>,
  first: IteratorResult<Uint8Array, unknown>,
): AsyncGenerator<Uint8Array> {
  let at = 0
  let bytes = opened
  let next = first
  try {
    for (let resumes = 0; ;) {
      try {
        while (next.done !== true) {
          at += next.value.length
          yield next.value
          next = await bytes.next()
        }
        return
      } catch (error) {
        if (!isWeftError(error) || error.code === 'E_ABORTED' || at === size || resumes === RESUMES) throw error
        resumes++
        bytes = (await open({ range: { offset: at, length: size - at } }))[Symbol.asyncIterator]()
        next = await bytes.next()
      }
    }
  } finally {
    await bytes.return?.()
  }
}

async function* member(
  path: string,
  said: Member,
  modifiedAt: number,
  body?: { readonly size: number; readonly bytes: AsyncIterable<Uint8Array> },
): AsyncGenerator<Uint8Array> {
  const size = body?.size ?? 0
  yield tarHead({ path, size, modifiedAt, records: encodeMember(said) })
  if (body === undefined) return
  yield* body.bytes
  const padding = tarPadding(size)
  if (padding.length > 0) yield padding
}

function textBody(text: string): { size: number; bytes: AsyncIterable<Uint8Array> } {
  const bytes = utf8(text)
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes
  }
  return { size: bytes.length, bytes: body() }
}

function bucketMember({ name, versioning, tags, class: className }: Bucket): BucketMember {
  return { kind: 'bucket', bucket: name, versioning, tags: [...tags], class: className }
}

/** Newest first within a key, as they are listed. */
function* allVersions(buckets: Pick<Buckets, 'listVersions'>, bucket: string): Generator<ObjectVersion> {
  let after: { readonly after?: string; readonly afterVersion?: string } = {}
  for (;;) {
    const { entries, next, nextVersion } = buckets.listVersions(bucket, after)
    yield* entries
    if (next === undefined) return
    after = { after: next, ...(nextVersion !== undefined && { afterVersion: nextVersion }) }
  }
}

/** Keys in order, the versions of each from its oldest on: so they are put again. */
function* oldestFirst(buckets: Pick<Buckets, 'listVersions'>, bucket: string): Generator<ObjectVersion> {
  const ofKey: ObjectVersion[] = []
  for (const version of allVersions(buckets, bucket)) {
    if (ofKey[0] !== undefined && ofKey[0].key !== version.key) yield* ofKey.splice(0).toReversed()
    ofKey.push(version)
  }
  yield* ofKey.toReversed()
}

/** A name as one part of a path that no unpacking leads elsewhere: `%` and two digits for what would. */
function pathPart(name: string): string {
  if (name === '' || name === '.' || name === '..') return name === '' ? '%' : name.replaceAll('.', '%2E')
  const part = name.replaceAll(/[\p{Cc}/\\%]/gu, (one) => {
    return `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
  const bytes = utf8(part)
  if (bytes.length <= MAX_PART) return part
  const begin = Buffer.from(bytes.subarray(0, MAX_PART - CUT_MARK))
    .toString('utf8')
    .replace(/\uFFFD+$/, '')
  return `${begin}~${toHex(sha256(bytes)).slice(0, CUT_MARK - 1)}`
}
