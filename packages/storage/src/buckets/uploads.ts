import { createHash } from 'node:crypto'
import { CrcJoin, type Clock, type Random, toHex } from '@weft/core'
import type { Bodies } from './bodies.ts'
import { checksumOf, wrongDigest } from './body-digests.ts'
import { overQuota, partOrder, partSmall, partUnknown, preconditionFailed, uploadUnknown } from './bucket-errors.ts'
import type { Buckets, Checksums, ListOptions, ObjectVersion, Part, Preconditions, Upload } from './buckets.ts'
import type { BucketState, Catalog, UploadState } from './catalog.ts'
import {
  type PartRecord,
  type UploadRecord,
  type VersionRecord,
  metaRecord,
  partOf,
  uploadOf,
  versionOf,
} from './catalog-records.ts'
import { compareKeys } from './compare-keys.ts'
import { limitOf } from './list-keys.ts'
import type { NewVersion, VersionWriter } from './version-writer.ts'

/** Every part but the last, bytes. */
const MIN_PART = 5 * 1024 * 1024
const MAX_PARTS = 10_000
/** In one bucket, with those that are over and whose answers are kept; each takes some memory. */
const MAX_UPLOADS = 10_000
/** Answers that go at once where there is no room for an upload. */
const FORGOTTEN_AT_ONCE = 100

type PartNames = Parameters<Buckets['completeUpload']>[3]

export interface UploadsParts {
  readonly catalog: Catalog
  readonly bodies: Bodies
  readonly writer: VersionWriter
  readonly clock: Clock
  readonly random: Random
}

/** Uploads in parts: each part is an object of `Storage`, and completing one writes a list of them. */
export class Uploads {
  readonly #parts: UploadsParts

  constructor(parts: UploadsParts) {
    this.#parts = parts
  }

  async start(bucket: BucketState, key: string, options: Parameters<Buckets['startUpload']>[2]): Promise<Upload> {
    const { clock, random, writer } = this.#parts
    const over = bucket.uploads.size < MAX_UPLOADS ? [] : oldestOver(bucket)
    if (bucket.uploads.size - over.length >= MAX_UPLOADS) throw overQuota(`The bucket has ${MAX_UPLOADS} uploads`)
    const forgotten = over.map((id) => ({ type: 'no-upload', bucket: bucket.record.name, upload: id }) as const)
    const startedAt = clock.now()
    // The order of ids is that of their begin, as listings have it.
    const id = startedAt.toString(16).padStart(12, '0') + toHex(random.bytes(10))
    const { checksum } = options ?? {}
    const upload = { id, key, startedAt, meta: metaRecord(options?.meta ?? {}), checksum }
    await writer.write([...forgotten, { type: 'upload', bucket: bucket.record.name, upload }])
    return uploadOf(upload)
  }

  get(bucket: BucketState, key: string, id: string): Upload {
    return uploadOf(openUpload(bucket, key, id).record)
  }

  list(bucket: BucketState, options: Parameters<Buckets['uploads']>[1] = {}): ReturnType<Buckets['uploads']> {
    const limit = limitOf(options)
    const uploads: Upload[] = []
    const prefixes: string[] = []
    let next: ReturnType<Buckets['uploads']>['next']
    for (const { record } of inOrder(bucket)) {
      const common = commonPrefix(record.key, options)
      if (!record.key.startsWith(options.prefix ?? '') || (prefixes.at(-1) === common && common !== undefined)) continue
      if (isOver(record, common, options)) continue
      if (uploads.length + prefixes.length === limit) return { uploads, prefixes, next }
      if (common === undefined) uploads.push(uploadOf(record))
      else prefixes.push(common)
      next = { key: common ?? record.key, upload: common === undefined ? record.id : undefined }
    }
    return { uploads, prefixes, next: undefined }
  }

  async putPart(
    bucket: BucketState,
    { key, id, number }: { readonly key: string; readonly id: string; readonly number: number },
    body: AsyncIterable<Uint8Array>,
    options: NonNullable<Parameters<Buckets['putPart']>[5]>,
  ): Promise<Part> {
    const { bodies, clock, writer } = this.#parts
    const { record } = openUpload(bucket, key, id)
    if (!Number.isSafeInteger(number) || number < 1 || number > MAX_PARTS) throw partUnknown(number)
    const wanted = record.checksum === undefined ? [] : [record.checksum.name]
    const stored = await bodies.store(body, { ...options, class: record.meta.class ?? bucket.record.class }, wanted)
    try {
      openUpload(bucket, key, id)
      const { etag, checksums, part: at } = stored
      const part = { number, size: at.size, etag, modifiedAt: clock.now(), checksums, body: at }
      await writer.write([{ type: 'part', bucket: bucket.record.name, upload: id, part }], stored)
      return partOf(part)
    } catch (error) {
      writer.failed(stored)
      throw error
    }
  }

  listParts(bucket: BucketState, key: string, id: string): readonly Part[] {
    return this.#parts.catalog.parts(openUpload(bucket, key, id).id).map(partOf)
  }

  async complete(
    bucket: BucketState,
    { key, id }: { readonly key: string; readonly id: string },
    names: PartNames,
    options: Preconditions & { readonly checksums?: Checksums },
  ): Promise<ObjectVersion> {
    const { catalog, writer } = this.#parts
    const upload = bucket.uploads.get(id)
    if (upload?.done !== undefined && upload.record.key === key) return versionOf(upload.done, true)
    const { id: row, record } = openUpload(bucket, key, id)
    const parts = partsNamed(catalog.parts(row), names)
    const checksums = checksumsOf(record, parts)
    for (const [name, given] of Object.entries(options.checksums ?? {})) {
      const own = checksums[name as keyof Checksums]
      if (own !== undefined && own !== given) throw wrongDigest(name)
    }
    if (!writer.holds(bucket, key, options)) throw preconditionFailed()
    const made: NewVersion = {
      meta: record.meta,
      etag: etagOf(parts),
      checksums,
      parts: parts.map((part) => ({ size: part.size, checksums: part.checksums })),
      body: parts.map(({ body }) => body),
    }
    const { changes, version } = writer.version(bucket, key, made)
    const over = { type: 'no-upload', bucket: bucket.record.name, upload: id, done: version } as const
    await writer.write([...changes, over])
    return versionOf(version, true)
  }

  async abort(bucket: BucketState, key: string, id: string): Promise<void> {
    openUpload(bucket, key, id)
    await this.#parts.writer.write([{ type: 'no-upload', bucket: bucket.record.name, upload: id }])
  }
}

function openUpload(bucket: BucketState, key: string, id: string): UploadState {
  const upload = bucket.uploads.get(id)
  if (upload === undefined || upload.done !== undefined || upload.record.key !== key) throw uploadUnknown()
  return upload
}

/** Ids of those whose answers have been kept longest. */
function oldestOver({ uploads }: BucketState): string[] {
  const over = [...uploads.values()].flatMap(({ record, done }) =>
    done === undefined ? [] : [{ id: record.id, at: done.modifiedAt }],
  )
  return over
    .sort((a, b) => a.at - b.at)
    .slice(0, FORGOTTEN_AT_ONCE)
    .map(({ id }) => id)
}

function inOrder({ uploads }: BucketState): UploadState[] {
  return [...uploads.values()]
    .filter(({ done }) => done === undefined)
    .sort((a, b) => compareKeys(a.record.key, b.record.key) || compareKeys(a.record.id, b.record.id))
}

function commonPrefix(key: string, { prefix = '', delimiter = '' }: ListOptions): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
  return at === -1 ? undefined : key.slice(0, at + delimiter.length)
}

function isOver(
  { key, id }: Pick<Upload, 'key' | 'id'>,
  common: string | undefined,
  { after, afterUpload }: ListOptions & { readonly afterUpload?: string },
): boolean {
  if (after === undefined) return false
  const order = compareKeys(common ?? key, after)
  if (order !== 0 || common !== undefined || afterUpload === undefined) return order <= 0
  return compareKeys(id, afterUpload) <= 0
}

/** @throws WeftError E_PART_ORDER, E_PART_UNKNOWN, E_PART_SMALL */
function partsNamed(all: readonly PartRecord[], names: PartNames): PartRecord[] {
  const byNumber = new Map(all.map((part) => [part.number, part]))
  if (names.length === 0) throw partUnknown(1)
  if (names.some(({ number }, at) => at > 0 && number <= (names[at - 1]?.number ?? 0))) throw partOrder()
  const parts = names.map(({ number, etag }) => {
    const part = byNumber.get(number)
    if (part === undefined || part.etag !== etag) throw partUnknown(number)
    return part
  })
  const small = parts.slice(0, -1).find(({ size }) => size < MIN_PART)
  if (small !== undefined) throw partSmall(small.number, small.size)
  return parts
}

function etagOf(parts: readonly PartRecord[]): string {
  const md5 = createHash('md5')
  for (const { etag } of parts) md5.update(Buffer.from(etag, 'hex'))
  return `${md5.digest('hex')}-${parts.length}`
}

/** Of the whole, as the upload asked for it: of the checksums of its parts, or that which the whole would have. */
function checksumsOf(
  { checksum }: Pick<UploadRecord, 'checksum'>,
  parts: readonly PartRecord[],
): VersionRecord['checksums'] {
  if (checksum === undefined) return {}
  const { name, type } = checksum
  const digests = parts.map(({ number, checksums }) => {
    const own = checksums[name]
    if (own === undefined) throw partUnknown(number)
    return Buffer.from(own, 'base64')
  })
  if (type === 'COMPOSITE') {
    return { [name]: `${Buffer.from(checksumOf(name, Buffer.concat(digests))).toString('base64')}-${parts.length}` }
  }
  if (name === 'SHA1' || name === 'SHA256') return {}
  const join = new CrcJoin(name)
  for (const [at, digest] of digests.entries()) join.add(digest, parts[at]?.size ?? 0)
  return { [name]: Buffer.from(join.digest()).toString('base64') }
}
