import type { StorageClass } from '../storage.ts'
import type { Bucket, ChecksumName, Checksums, ObjectMeta, ObjectVersion, Part, Upload, Versioning } from './buckets.ts'

// What the catalog keeps, as it is sealed: JSON, so a map is a list of pairs here.

type Pairs = readonly (readonly [string, string])[]

export interface BucketRecord {
  readonly name: string
  readonly createdAt: number
  readonly versioning: Versioning
  readonly tags: Pairs
  readonly class?: StorageClass['name'] | undefined
}

export interface MetaRecord {
  readonly contentType?: string | undefined
  readonly headers: Pairs
  readonly metadata: Pairs
  readonly tags: Pairs
  readonly class?: StorageClass['name'] | undefined
}

/** Bytes that one object of `Storage` has; a version that was put in parts has several. */
export interface BodyPart {
  readonly object: string
  readonly ref: string
  readonly size: number
  /** What another machine of this person needs to remove it. */
  readonly own?: OwnObject | undefined
}

/** Of an object of `Storage`, beside its reference: what makes whoever has it its owner. */
export interface OwnObject {
  /** Of the object's own key, base64url. */
  readonly seed: string
  readonly class: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** A version without its bytes. */
export interface VersionRecord {
  /** Of its row. */
  readonly id: number
  readonly key: string
  readonly version: string
  readonly isDeleteMarker: boolean
  readonly size: number
  readonly etag: string
  readonly modifiedAt: number
  readonly meta: MetaRecord
  readonly checksums: Checksums
  readonly parts: ObjectVersion['parts']
}

export interface UploadRecord {
  readonly id: string
  readonly key: string
  readonly startedAt: number
  readonly meta: MetaRecord
  readonly checksum?: { readonly name: ChecksumName; readonly type: 'COMPOSITE' | 'FULL_OBJECT' } | undefined
}

export interface PartRecord {
  readonly number: number
  readonly size: number
  readonly etag: string
  readonly modifiedAt: number
  readonly checksums: Checksums
  readonly body: BodyPart
}

/** One step of what changes the catalog; those of one request are made together or not at all. */
export type Change =
  /** Made, or in the place of the one of that name. */
  | { readonly type: 'bucket'; readonly bucket: BucketRecord }
  | { readonly type: 'no-bucket'; readonly name: string }
  /** The newest of its key; one that is named `null` takes the place of the one so named. */
  | {
      readonly type: 'version'
      readonly bucket: string
      readonly version: VersionRecord
      readonly body: readonly BodyPart[]
    }
  /** The same version with other metadata. */
  | {
      readonly type: 'meta'
      readonly bucket: string
      readonly key: string
      readonly id: number
      readonly meta: MetaRecord
    }
  | { readonly type: 'no-version'; readonly bucket: string; readonly key: string; readonly id: number }
  | { readonly type: 'upload'; readonly bucket: string; readonly upload: UploadRecord }
  | { readonly type: 'part'; readonly bucket: string; readonly upload: string; readonly part: PartRecord }
  /** It is over; `done` is what came of it, for whoever asks again. */
  | { readonly type: 'no-upload'; readonly bucket: string; readonly upload: string; readonly done?: VersionRecord }

export function metaRecord({ contentType, headers, metadata, tags, class: name }: Partial<ObjectMeta>): MetaRecord {
  return {
    contentType,
    headers: [...(headers ?? [])],
    metadata: [...(metadata ?? [])],
    tags: [...(tags ?? [])],
    class: name,
  }
}

export function metaOf({ contentType, headers, metadata, tags, class: name }: MetaRecord): ObjectMeta {
  return { contentType, headers: new Map(headers), metadata: new Map(metadata), tags: new Map(tags), class: name }
}

export function bucketOf({ name, createdAt, versioning, tags, class: stored }: BucketRecord): Bucket {
  return { name, createdAt, versioning, tags: new Map(tags), class: stored }
}

export function versionOf(record: VersionRecord, isLatest: boolean): ObjectVersion {
  const { id: _, meta, ...rest } = record
  return { ...rest, isLatest, meta: metaOf(meta) }
}

export function uploadOf({ id, key, startedAt, meta, checksum }: UploadRecord): Upload {
  return { id, key, startedAt, meta: metaOf(meta), checksum }
}

export function partOf({ number, size, etag, modifiedAt, checksums }: PartRecord): Part {
  return { number, size, etag, modifiedAt, checksums }
}
