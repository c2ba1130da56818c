/** A revocation as it is kept: the newest of its key. */
export interface StoredRevocation {
  /** 32 bytes */
  readonly key: Uint8Array
  /** ms since the Unix epoch: when it may be forgotten. */
  readonly endsAt: number
  /** The wire form (weft.v1.Revocation), votes included. */
  readonly revocation: Uint8Array
}

/** Where revocations outlive a restart. A write has returned only after fsync. */
export interface RevocationDatabase {
  /** The wire forms of all that are kept. */
  revocations(): Uint8Array[]
  /** @throws WeftError E_DISK_FULL, E_STATE_UNWRITABLE */
  saveRevocation(revocation: StoredRevocation): void
  /** @param now ms since the Unix epoch */
  dropEndedRevocations(now: number): void
}
