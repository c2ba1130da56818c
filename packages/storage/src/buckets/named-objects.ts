import { type Clock, type Fault, type Random, utf8 } from '@weft/core'
import type { GetOptions } from '../storage.ts'
import type { Bodies } from './bodies.ts'
import {
  bucketExists,
  bucketName,
  bucketNotEmpty,
  bucketUnknown,
  keyName,
  keyUnknown,
  overQuota,
  preconditionFailed,
  versionUnknown,
} from './bucket-errors.ts'
import type {
  Bucket,
  Buckets,
  Deletion,
  ListOptions,
  Listing,
  ObjectContent,
  ObjectMeta,
  ObjectVersion,
  Part,
  Preconditions,
  PutInto,
  Upload,
  VersionListOptions,
  VersionListing,
} from './buckets.ts'
import type { BucketState, Catalog } from './catalog.ts'
import type { CatalogLog } from './catalog-log.ts'
import { type BucketRecord, type VersionRecord, bucketOf, metaRecord, versionOf } from './catalog-records.ts'
import { listKeys, listVersions } from './list-keys.ts'
import { Uploads } from './uploads.ts'
import { type VersionMark, findMark, latestMark, nullMark, versionNumber } from './version-mark.ts'
import { VersionWriter } from './version-writer.ts'

const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** Bytes of UTF-8. */
const MAX_KEY = 1024
/** All that is said of an object beside its bytes, as JSON, bytes. */
const MAX_META = 16 * 1024
const MAX_BUCKETS = 1_000

export interface NamedObjectsParts {
  readonly catalog: Catalog
  readonly bodies: Bodies
  readonly log: CatalogLog
  readonly clock: Clock
  readonly random: Random
}

/** `Buckets`, and what the daemon does beside it. */
export interface OwnBuckets extends Buckets {
  /**
   * Makes this machine the one that writes the catalog: what is in the network takes the place of what is here.
   * @throws WeftError E_CATALOG_WRITER when another one goes on writing, E_RECORD_UNAVAILABLE, E_CATALOG_ROLLBACK
   */
  takeOver(): Promise<void>
}

/** What `Buckets` says, over the catalog and the bodies in `Storage`. */
export class NamedObjects implements OwnBuckets {
  readonly #catalog: Catalog
  readonly #bodies: Bodies
  readonly #writer: VersionWriter
  readonly #uploads: Uploads
  readonly #clock: Clock
  readonly #log: CatalogLog

  constructor(parts: NamedObjectsParts) {
    this.#catalog = parts.catalog
    this.#bodies = parts.bodies
    this.#clock = parts.clock
    this.#log = parts.log
    this.#writer = new VersionWriter(parts)
    this.#uploads = new Uploads({ ...parts, writer: this.#writer })
  }

  get fault(): Fault | undefined {
    return this.#log.fault
  }

  async takeOver(): Promise<void> {
    const { isKnown } = this.#log
    await this.#log.takeOver()
    // Who lost the catalog cannot tell whether the log is whole: what it does not name may be all that is left.
    if (isKnown) this.#bodies.settle()
  }

  async create(name: string): Promise<Bucket> {
    await this.#writer.ready()
    if (!NAME.test(name) || name.includes('..')) throw bucketName(name)
    if (this.#catalog.bucket(name) !== undefined) throw bucketExists(name)
    if (this.#catalog.buckets().length >= MAX_BUCKETS) throw overQuota(`There are ${MAX_BUCKETS} buckets`)
    const bucket: BucketRecord = { name, createdAt: this.#clock.now(), versioning: 'off', tags: [] }
    await this.#writer.write([{ type: 'bucket', bucket }])
    return bucketOf(bucket)
  }

  async delete(name: string): Promise<void> {
    await this.#writer.ready()
    const { keys, uploads } = this.#bucket(name)
    const isOpen = [...uploads.values()].some(({ done }) => done === undefined)
    if (keys.size > 0 || isOpen) throw bucketNotEmpty(name)
    await this.#writer.write([{ type: 'no-bucket', name }])
  }

  all(): readonly Bucket[] {
    return this.#catalog.buckets().map(({ record }) => bucketOf(record))
  }

  bucket(name: string): Bucket {
    return bucketOf(this.#bucket(name).record)
  }

  async change(name: string, change: Parameters<Buckets['change']>[1]): Promise<Bucket> {
    const { tags, ...rest } = change
    await this.#writer.ready()
    const bucket: BucketRecord = { ...this.#bucket(name).record, ...rest, ...(tags && { tags: [...tags] }) }
    await this.#writer.write([{ type: 'bucket', bucket }])
    return bucketOf(bucket)
  }

  async put(name: string, key: string, body: AsyncIterable<Uint8Array>, options: PutInto = {}): Promise<ObjectVersion> {
    checkKey(key)
    const meta = checkedMeta(options.meta ?? {})
    await this.#writer.ready()
    const bucket = this.#bucket(name)
    if (!this.#writer.holds(bucket, key, options)) throw preconditionFailed()
    const stored = await this.#bodies.store(body, { ...options, class: meta.class ?? bucket.record.class })
    try {
      // What was true before the first byte came need not be so behind the last.
      const now = this.#bucket(name)
      if (!this.#writer.holds(now, key, options)) throw preconditionFailed()
      const { etag, checksums, part } = stored
      const { changes, version } = this.#writer.version(now, key, { meta, etag, checksums, parts: [], body: [part] })
      await this.#writer.write(changes, stored)
      return versionOf(version, true)
    } catch (error) {
      this.#writer.failed(stored)
      throw error
    }
  }

  head(name: string, key: string, version?: string): ObjectVersion {
    const { record, isLatest } = this.#entry(name, key, version)
    return versionOf(record, isLatest)
  }

  async get(
    name: string,
    key: string,
    options: GetOptions & { readonly version?: string } = {},
  ): Promise<ObjectContent> {
    const { version, ...rest } = options
    const { record, isLatest } = this.#version(name, key, version)
    const body = await this.#bodies.read(this.#catalog.body(record.id), rest)
    return { entry: versionOf(record, isLatest), body }
  }

  async copy(
    from: Parameters<Buckets['copy']>[0],
    to: Parameters<Buckets['copy']>[1],
    options: NonNullable<Parameters<Buckets['copy']>[2]> = {},
  ): Promise<ObjectVersion> {
    checkKey(to.key)
    const given = options.meta === undefined ? undefined : checkedMeta(options.meta)
    options.signal?.throwIfAborted()
    await this.#writer.ready()
    const { record } = this.#version(from.bucket, from.key, from.version)
    const bucket = this.#bucket(to.bucket)
    if (!this.#writer.holds(bucket, to.key, options)) throw preconditionFailed()
    const { etag, checksums, parts, meta } = record
    const body = this.#catalog.body(record.id)
    const copied = { meta: given ?? meta, etag, checksums, parts, body }
    const { changes, version } = this.#writer.version(bucket, to.key, copied)
    await this.#writer.write(changes)
    return versionOf(version, true)
  }

  async setTags(
    name: string,
    key: string,
    tags: ReadonlyMap<string, string>,
    version?: string,
  ): Promise<ObjectVersion> {
    await this.#writer.ready()
    const { record, isLatest } = this.#version(name, key, version)
    const meta = { ...record.meta, tags: [...tags] }
    await this.#writer.write([{ type: 'meta', bucket: name, key, id: record.id, meta }])
    return versionOf({ ...record, meta }, isLatest)
  }

  async remove(name: string, key: string, version?: string, conditions: Preconditions = {}): Promise<Deletion> {
    checkKey(key)
    await this.#writer.ready()
    const bucket = this.#bucket(name)
    if (!this.#writer.holds(bucket, key, conditions)) throw preconditionFailed()
    if (version === undefined && bucket.record.versioning !== 'off') {
      const marker = this.#writer.version(bucket, key, undefined)
      await this.#writer.write(marker.changes)
      return { key, version: marker.version.version, isDeleteMarker: true }
    }
    const found = this.#find(bucket, key, version ?? 'null')
    if (found !== undefined) await this.#writer.write([{ type: 'no-version', bucket: name, key, id: found.id }])
    return { key, version, isDeleteMarker: version !== undefined && found?.isDeleteMarker === true }
  }

  list(name: string, options: ListOptions = {}): Listing {
    return listKeys(this.#catalog, this.#bucket(name), options)
  }

  listVersions(name: string, options: VersionListOptions = {}): VersionListing {
    return listVersions(this.#catalog, this.#bucket(name), options)
  }

  async startUpload(name: string, key: string, options?: Parameters<Buckets['startUpload']>[2]): Promise<Upload> {
    checkKey(key)
    checkedMeta(options?.meta ?? {})
    await this.#writer.ready()
    return this.#uploads.start(this.#bucket(name), key, options)
  }

  upload(name: string, key: string, id: string): Upload {
    return this.#uploads.get(this.#bucket(name), key, id)
  }

  uploads(name: string, options?: Parameters<Buckets['uploads']>[1]): ReturnType<Buckets['uploads']> {
    return this.#uploads.list(this.#bucket(name), options)
  }

  async putPart(
    name: string,
    key: string,
    id: string,
    number: number,
    body: AsyncIterable<Uint8Array>,
    options: Parameters<Buckets['putPart']>[5] = {},
  ): Promise<Part> {
    await this.#writer.ready()
    return this.#uploads.putPart(this.#bucket(name), { key, id, number }, body, options)
  }

  parts(name: string, key: string, id: string): readonly Part[] {
    return this.#uploads.listParts(this.#bucket(name), key, id)
  }

  async completeUpload(
    name: string,
    key: string,
    id: string,
    parts: Parameters<Buckets['completeUpload']>[3],
    options: Parameters<Buckets['completeUpload']>[4] = {},
  ): Promise<ObjectVersion> {
    await this.#writer.ready()
    return this.#uploads.complete(this.#bucket(name), { key, id }, parts, options)
  }

  async abortUpload(name: string, key: string, id: string): Promise<void> {
    await this.#writer.ready()
    await this.#uploads.abort(this.#bucket(name), key, id)
  }

  #bucket(name: string): BucketState {
    const bucket = this.#catalog.bucket(name)
    if (bucket === undefined) throw bucketUnknown(name)
    return bucket
  }

  /** One that has bytes. @throws WeftError E_KEY_UNKNOWN, E_VERSION_UNKNOWN */
  #version(name: string, key: string, version: string | undefined): { record: VersionRecord; isLatest: boolean } {
    const entry = this.#entry(name, key, version)
    if (entry.record.isDeleteMarker) throw keyUnknown(entry.record.version)
    return entry
  }

  /** A marker only by its version. @throws WeftError E_KEY_UNKNOWN, E_VERSION_UNKNOWN */
  #entry(name: string, key: string, version: string | undefined): { record: VersionRecord; isLatest: boolean } {
    const bucket = this.#bucket(name)
    const marks = bucket.keys.get(key)
    if (marks === undefined) throw version === undefined ? keyUnknown() : versionUnknown()
    const latest = latestMark(marks)
    const mark = version === undefined ? latest : this.#find(bucket, key, version)
    if (mark === undefined) throw versionUnknown()
    const record = this.#catalog.version(mark.id)
    if (record.isDeleteMarker && version === undefined) throw keyUnknown(record.version)
    return { record, isLatest: mark.id === latest.id }
  }

  #find({ keys }: BucketState, key: string, version: string): VersionMark | undefined {
    const marks = keys.get(key)
    if (version === 'null') return nullMark(marks)
    const mark = findMark(marks, versionNumber(version) ?? 0)
    return mark?.isNull === false && this.#catalog.version(mark.id).version === version ? mark : undefined
  }
}

/** @throws WeftError E_KEY_NAME */
function checkKey(key: string): void {
  const isWell = key.length > 0 && key.length <= MAX_KEY && key.isWellFormed()
  if (!isWell || utf8(key).length > MAX_KEY) throw keyName()
}

/** @throws WeftError E_QUOTA */
function checkedMeta(meta: Partial<ObjectMeta>): ReturnType<typeof metaRecord> {
  const record = metaRecord(meta)
  if (utf8(JSON.stringify(record)).length > MAX_META) throw overQuota(`The metadata has more than ${MAX_META} bytes`)
  return record
}
