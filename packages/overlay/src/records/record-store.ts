import type { SigningKey } from '@weft/crypto'

/** 32 bytes. */
export type RecordKey = Uint8Array

export interface MutableRecordInit {
  readonly owner: SigningKey
  /** At most 64 bytes; separates the records of one owner. */
  readonly salt: Uint8Array
  readonly sequence: number
  /** ms since the epoch. */
  readonly expiresAt: number
  /** At most 64 KiB. */
  readonly value: Uint8Array
}

export interface PutResult {
  readonly key: RecordKey
  /** Holders that acknowledged after fdatasync; at least `required`. */
  readonly acknowledged: number
  readonly required: number
  /** Holders that were asked. */
  readonly holders: number
}

export interface GetResult {
  readonly value: Uint8Array
  /** 0 for immutable records. */
  readonly sequence: number
  readonly expiresAt: number
  /** False when fewer than R holders answered: the newest valid value found, which may not be the newest written. */
  readonly quorum: boolean
  /** Holders that answered. */
  readonly answered: number
  /** Holders that answered with this very value. More may have it: a read ends with its quorum. */
  readonly copies: number
  readonly required: number
}

export interface RecordOptions {
  readonly signal?: AbortSignal
  /** ms; default 5,000. */
  readonly timeoutMs?: number
}

/**
 * Small values that outlive their writers (docs/specs/records.md): N closest members hold each, W acknowledge a write
 * after fdatasync, R answer a read; an older or forked sequence never replaces a newer one on any path.
 */
export interface RecordStore {
  putImmutable(value: Uint8Array, expiresAt: number, options?: RecordOptions): Promise<PutResult>
  /** @throws WeftError E_RECORD_QUORUM (fewer than W acknowledged), E_RECORD_CONFLICT (a newer or forked value exists), E_RECORD_TOO_LARGE */
  putMutable(record: MutableRecordInit, options?: RecordOptions): Promise<PutResult>
  /** @throws WeftError E_RECORD_NOT_FOUND (a quorum has none), E_RECORD_UNAVAILABLE (no quorum answered and none was found) */
  get(key: RecordKey, options?: RecordOptions): Promise<GetResult>
  getMutable(owner: Uint8Array, salt: Uint8Array, options?: RecordOptions): Promise<GetResult>
}
