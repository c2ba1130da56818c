import type { Fault } from '@weft/core'

export interface ExportOptions {
  /** False: the keys of objects alone, without their bytes, and no buckets; default true. */
  readonly content?: boolean
  readonly signal?: AbortSignal
}

export interface ArchiveStream {
  /** About as many bytes as the body will have. */
  readonly expected: number
  /** A pax archive, in the clear: whoever has it owns the objects. It ends with an error where not all could be read. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface ImportOptions {
  readonly signal?: AbortSignal
}

/** What became of an object or a version of an archive, and how many. */
export interface ImportCounts {
  /** They are in the network still, and this node owns them now: renews, repairs, removes. Objects only. */
  readonly adopted: number
  /** Put anew from their bytes, under a new reference. */
  readonly stored: number
  /** Here already. */
  readonly present: number
  /** Not imported: see `left`. */
  readonly left: number
}

/** What was not imported, and why. */
export interface LeftMember {
  /** Of an object; undefined for a version of a bucket. */
  readonly object: string | undefined
  readonly name: string
  readonly fault: Fault
}

export interface ImportReport {
  readonly objects: ImportCounts
  readonly versions: ImportCounts
  /** Made. */
  readonly buckets: number
  /** That were put anew. */
  readonly bytes: number
  /** The first hundred. */
  readonly left: readonly LeftMember[]
}

/** Everything of a person in one archive (docs/specs/archive.md). */
export interface Archives {
  export(options?: ExportOptions): ArchiveStream
  /**
   * Imports an archive in its order; what was imported stays when it fails, and is seen as present the next time. Nothing
   * that is here is overwritten, and what was removed here does not come back.
   * @throws WeftError E_ARCHIVE_INVALID, E_ARCHIVE_VERSION, E_ABORTED, and as `Storage.put` and `Buckets.put`
   */
  import(source: AsyncIterable<Uint8Array>, options?: ImportOptions): Promise<ImportReport>
}
