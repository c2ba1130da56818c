import type { Fault } from '@weft/core'
import type { GetOptions, StorageClass, TransferProgress } from '../storage.ts'

export type { ByteRange } from '../storage.ts'

/** Keeping of older versions: never asked for, asked for, or asked for once and not now (S3 versioning). */
export type Versioning = 'off' | 'enabled' | 'suspended'

export interface Bucket {
  /** 3 to 63 of a-z, 0-9, '.', '-', as S3 has it. */
  readonly name: string
  /** ms since the epoch. */
  readonly createdAt: number
  readonly versioning: Versioning
  readonly tags: ReadonlyMap<string, string>
  /** Class of what is put there without one; undefined: by the number of storage nodes. */
  readonly class: StorageClass['name'] | undefined
}

/** Checksums of the whole that a client gave and that were checked, by the name that S3 has for them; base64. */
export type Checksums = Readonly<Partial<Record<ChecksumName, string>>>
export type ChecksumName = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

/** What is kept of an object beside its bytes; sealed wherever it leaves this process. */
export interface ObjectMeta {
  readonly contentType: string | undefined
  /** Cache-Control, Content-Disposition, Content-Encoding, Content-Language, Expires, by their lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  /** `x-amz-meta-*`, without that prefix, lower case. At most 2 KiB in all. */
  readonly metadata: ReadonlyMap<string, string>
  readonly tags: ReadonlyMap<string, string>
  readonly class: StorageClass['name'] | undefined
}

/** One version of one key. */
export interface ObjectVersion {
  /** Any text of 1 to 1,024 bytes of UTF-8. */
  readonly key: string
  /** 'null' where the bucket kept no versions when it was put, else 32 letters and digits. */
  readonly version: string
  readonly isLatest: boolean
  /** It says that the key was deleted, and has no bytes. */
  readonly isDeleteMarker: boolean
  readonly size: number
  /** Without quotes: MD5 in hexadecimal, or that of the parts' MD5s and `-<parts>`. */
  readonly etag: string
  /** ms since the epoch. */
  readonly modifiedAt: number
  readonly meta: ObjectMeta
  readonly checksums: Checksums
  /** The parts that it was made from, in order; empty for one that was put whole. */
  readonly parts: readonly Pick<Part, 'size' | 'checksums'>[]
}

/** When a request is to be carried out at all (RFC 9110, section 13.1); compared with the latest version. */
export interface Preconditions {
  /** ETags without quotes; '*' for any. */
  readonly ifMatch?: readonly string[]
  readonly ifNoneMatch?: readonly string[]
}

export interface PutInto extends Preconditions {
  readonly meta?: Partial<ObjectMeta>
  /** Bytes, where known. */
  readonly size?: number
  /** Hexadecimal; another one that comes ends the put with E_DIGEST, and nothing stays. */
  readonly md5?: string
  /** Checked the same way; those of trailers are known behind the last byte. */
  readonly checksums?: () => Checksums
  /** Which `checksums` names behind the last byte alone: what nobody computed is wrong. */
  readonly algorithms?: readonly ChecksumName[]
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TransferProgress) => void
}

export interface ObjectContent {
  readonly entry: ObjectVersion
  /** Verified plaintext of the range in order; whoever does not read it gives it back by `return()` of its iterator. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface ListOptions {
  readonly prefix?: string
  readonly delimiter?: string
  /** Only what comes behind it in the order of UTF-8 bytes; a common prefix that it is, or is in, is left out as a whole. */
  readonly after?: string
  /** Keys and common prefixes together; 1 to 1,000, default 1,000. */
  readonly limit?: number
}

export interface Listing {
  readonly entries: readonly ObjectVersion[]
  readonly prefixes: readonly string[]
  /** There is more: go on with `after` the last key or prefix of this answer. */
  readonly next: string | undefined
}

export interface VersionListOptions extends ListOptions {
  /** Within the key `after` only what is older than this version. */
  readonly afterVersion?: string
}

export interface VersionListing extends Listing {
  readonly nextVersion: string | undefined
}

export interface Upload {
  readonly id: string
  readonly key: string
  readonly startedAt: number
  readonly meta: ObjectMeta
  readonly checksum: { readonly name: ChecksumName; readonly type: 'COMPOSITE' | 'FULL_OBJECT' } | undefined
}

export interface Part {
  /** 1 to 10,000. */
  readonly number: number
  readonly size: number
  readonly etag: string
  readonly modifiedAt: number
  readonly checksums: Checksums
}

export interface Deletion {
  readonly key: string
  /** Of the marker that was made, or of the version that was taken away. */
  readonly version: string | undefined
  readonly isDeleteMarker: boolean
}

/**
 * Named objects of this person: buckets, keys and their versions, on top of `Storage`. Names, metadata and references leave
 * this process sealed only. What was acknowledged is there after a crash, and after the loss of this machine for whoever
 * has the person's key. Every method that changes anything is durable when it resolves.
 *
 * Errors, beside those of `Storage`: E_BUCKET_NAME, E_BUCKET_UNKNOWN, E_BUCKET_EXISTS, E_BUCKET_NOT_EMPTY, E_KEY_NAME,
 * E_KEY_UNKNOWN (its details say whether a delete marker is the latest: `deleteMarker`, `version`), E_VERSION_UNKNOWN,
 * E_PRECONDITION, E_NOT_MODIFIED, E_DIGEST, E_UPLOAD_UNKNOWN, E_PART_UNKNOWN, E_PART_ORDER, E_PART_SMALL, E_RANGE, E_QUOTA.
 */
export interface Buckets {
  create(name: string): Promise<Bucket>
  /** @throws WeftError E_BUCKET_NOT_EMPTY while it has a version, a marker or an upload */
  delete(name: string): Promise<void>
  /** By name. */
  all(): readonly Bucket[]
  /** @throws WeftError E_BUCKET_UNKNOWN */
  bucket(name: string): Bucket
  change(name: string, change: Partial<Pick<Bucket, 'versioning' | 'tags' | 'class'>>): Promise<Bucket>

  /** What the body throws is thrown as it is, and nothing stays. */
  put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options?: PutInto): Promise<ObjectVersion>
  /** The latest, or the version asked for, which may be a delete marker. */
  head(bucket: string, key: string, version?: string): ObjectVersion
  get(bucket: string, key: string, options?: GetOptions & { readonly version?: string }): Promise<ObjectContent>
  /** A new version of the same bytes, which are not moved. @param meta in place of all that the source has, if given: what it leaves out is not there, as with `put` */
  copy(
    from: { readonly bucket: string; readonly key: string; readonly version?: string },
    to: { readonly bucket: string; readonly key: string },
    options?: Preconditions & { readonly meta?: Partial<ObjectMeta>; readonly signal?: AbortSignal },
  ): Promise<ObjectVersion>
  setTags(bucket: string, key: string, tags: ReadonlyMap<string, string>, version?: string): Promise<ObjectVersion>
  /** A key that is not there is deleted all the same, as S3 has it. The conditions are of the latest version, in one step with the deletion. */
  remove(bucket: string, key: string, version?: string, conditions?: Preconditions): Promise<Deletion>
  list(bucket: string, options?: ListOptions): Listing
  listVersions(bucket: string, options?: VersionListOptions): VersionListing

  startUpload(
    bucket: string,
    key: string,
    options?: Pick<Upload, 'checksum'> & { readonly meta?: Partial<ObjectMeta> },
  ): Promise<Upload>
  upload(bucket: string, key: string, id: string): Upload
  uploads(
    bucket: string,
    options?: ListOptions & { readonly afterUpload?: string },
  ): {
    readonly uploads: readonly Upload[]
    readonly prefixes: readonly string[]
    readonly next: { readonly key: string; readonly upload: string | undefined } | undefined
  }
  /** In the place of an earlier one of that number. */
  putPart(
    bucket: string,
    key: string,
    id: string,
    number: number,
    body: AsyncIterable<Uint8Array>,
    options?: Pick<PutInto, 'size' | 'md5' | 'checksums' | 'algorithms' | 'signal' | 'onProgress'>,
  ): Promise<Part>
  parts(bucket: string, key: string, id: string): readonly Part[]
  /** Parts by number and ETag, ascending; all but the last have 5 MiB at least. Asked for again it answers the same. */
  completeUpload(
    bucket: string,
    key: string,
    id: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
    options?: Preconditions & { readonly checksums?: Checksums },
  ): Promise<ObjectVersion>
  abortUpload(bucket: string, key: string, id: string): Promise<void>

  /** Why changes do not reach the network, so that the loss of this machine would lose them; undefined while they do. */
  readonly fault: Fault | undefined
}
