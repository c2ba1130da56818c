/** A revocation as it is kept: the newest of its key. */
export interface StoredRevocation {
  /** 32 bytes */
  readonly key: Uint8Array
  /** ms since the Unix epoch: when it may be forgotten. */
  readonly endsAt: number
  /** The wire form (weft.v1.Revocation), votes included. */
  readonly revocation: Uint8Array
}

/** A vote for a decision that has no quorum yet. */
export interface StoredRevocationVote {
  /** The dag-cbor of the body. */
  readonly body: Uint8Array
  /** 32 bytes, Ed25519. */
  readonly signer: Uint8Array
  readonly signature: Uint8Array
}

/** One that was read, with whose vote for this body was saved first, though it may be gone. */
export interface KeptRevocationVote extends StoredRevocationVote {
  /** 32 bytes; undefined for votes of a version that did not keep it. */
  readonly opener: Uint8Array | undefined
}

/** Where revocations outlive a restart. A write has returned only after fsync, but for votes of others. */
export interface RevocationDatabase {
  /** The wire forms of all that are kept. */
  revocations(): Uint8Array[]
  /** @throws WeftError E_DISK_FULL, E_STATE_UNWRITABLE */
  saveRevocation(revocation: StoredRevocation): void
  /** @param now ms since the Unix epoch */
  dropEndedRevocations(now: number): void
  /** In the order in which they were saved first. */
  revocationVotes(): KeptRevocationVote[]
  /** The first one for a body is its opener's, until no vote for it is left. @param isOwn whether it has to be on disk before this returns. @throws WeftError E_DISK_FULL, E_STATE_UNWRITABLE */
  saveRevocationVote(vote: StoredRevocationVote, isOwn: boolean): void
  /** Forgets the votes for a body, or that of one signer. @param hash SHA-256 of the body, 32 bytes */
  dropRevocationVotes(hash: Uint8Array, signer?: Uint8Array): void
}
