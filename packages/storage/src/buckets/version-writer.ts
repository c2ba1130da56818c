import type { Clock, Random } from '@weft/core'
import type { Bodies, StoredBody } from './bodies.ts'
import { overQuota } from './bucket-errors.ts'
import type { Preconditions } from './buckets.ts'
import type { BucketState, Catalog } from './catalog.ts'
import type { CatalogLog } from './catalog-log.ts'
import type { BodyPart, Change, MetaRecord, VersionRecord } from './catalog-records.ts'
import { latestMark, versionName } from './version-mark.ts'

/** Versions and markers at most, over all buckets: their keys are in memory. */
const MAX_VERSIONS = 4_000_000

export interface NewVersion {
  readonly meta: MetaRecord
  readonly etag: string
  readonly checksums: VersionRecord['checksums']
  readonly parts: VersionRecord['parts']
  readonly body: readonly BodyPart[]
}

/** Makes versions, and writes changes down. Nothing happens between a look at the catalog and the change that follows in the same turn. */
export class VersionWriter {
  readonly #catalog: Catalog
  readonly #bodies: Bodies
  readonly #clock: Clock
  readonly #random: Random

  readonly #log: CatalogLog

  constructor(parts: {
    readonly catalog: Catalog
    readonly bodies: Bodies
    readonly log: CatalogLog
    readonly clock: Clock
    readonly random: Random
  }) {
    this.#catalog = parts.catalog
    this.#bodies = parts.bodies
    this.#clock = parts.clock
    this.#log = parts.log
    this.#random = parts.random
  }

  /** The version that the next change may make. @param made undefined for a delete marker */
  version(
    bucket: BucketState,
    key: string,
    made: NewVersion | undefined,
  ): { changes: Change[]; version: VersionRecord } {
    if (this.#catalog.versions >= MAX_VERSIONS) throw overQuota(`There are ${MAX_VERSIONS} versions in all buckets`)
    const id = this.#catalog.nextId
    const { body = [], ...rest } = made ?? { meta: NO_META, etag: '', checksums: {}, parts: [] }
    const version: VersionRecord = {
      id,
      key,
      version: bucket.record.versioning === 'enabled' ? versionName(id, this.#random.bytes(10)) : 'null',
      isDeleteMarker: made === undefined,
      size: body.reduce((sum, { size }) => sum + size, 0),
      modifiedAt: this.#clock.now(),
      ...rest,
    }
    return { changes: [{ type: 'version', bucket: bucket.record.name, version, body }], version }
  }

  /** To be awaited before what a change rests on is looked at. @throws WeftError E_CATALOG_WRITER */
  ready(): Promise<void> {
    return this.#log.ready()
  }

  /** Durable when it resolves; made before it returns. @param fulfilled what is named from now on */
  async write(changes: readonly Change[], fulfilled?: StoredBody): Promise<void> {
    this.#log.requireWriter()
    this.#catalog.apply(changes, fulfilled === undefined ? [] : [fulfilled.intent])
    if (fulfilled !== undefined) this.#named.add(fulfilled)
    this.#bodies.collect()
    await this.#log.carried()
  }

  readonly #named = new WeakSet<StoredBody>()

  /** What was stored for a change that was not made is nobody's. */
  failed(stored: StoredBody): void {
    if (!this.#named.has(stored)) this.#bodies.discard(stored)
  }

  /** Whether the conditions hold for the latest version of a key. */
  holds({ keys }: BucketState, key: string, { ifMatch, ifNoneMatch }: Preconditions): boolean {
    if (ifMatch === undefined && ifNoneMatch === undefined) return true
    const marks = keys.get(key)
    const mark = marks === undefined ? undefined : latestMark(marks)
    const etag = mark === undefined || mark.isDeleteMarker ? undefined : this.#catalog.version(mark.id).etag
    const matches = (tags: readonly string[]): boolean =>
      etag !== undefined && tags.some((tag) => tag === '*' || tag === etag)
    return (ifMatch === undefined || matches(ifMatch)) && (ifNoneMatch === undefined || !matches(ifNoneMatch))
  }
}

const NO_META: MetaRecord = { headers: [], metadata: [], tags: [] }
