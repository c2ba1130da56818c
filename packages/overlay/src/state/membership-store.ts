import type { AvailabilityStore } from '../absence/availability-store.ts'
import type { AgreementStore } from '../agreement/agreement-store.ts'
import type { BeaconStore } from '../beacon/beacon-store.ts'
import type { SeatStore } from '../invitation/invitation-seats.ts'
import type { TermStore } from '../terms/term-store.ts'
import type { RevocationDatabase } from '../revocation/revocation-database.ts'

/** A certificate as it is kept: the newest of its key. */
export interface StoredCertificate {
  /** 32 bytes */
  readonly key: Uint8Array
  /** ms since the Unix epoch */
  readonly expiresAt: number
  /** The wire form (weft.v1.Certificate), votes included. */
  readonly certificate: Uint8Array
}

export interface StoredMap {
  /** The wire form (weft.v1.SignedMap). */
  readonly map: Uint8Array
  readonly entries: readonly Uint8Array[]
}

/** By what the entries of a map differ from those that are stored. */
export interface StoredChanges {
  /** Whether they take the place of all that are stored. */
  readonly whole: boolean
  /** New or changed. */
  readonly entries: readonly { readonly key: Uint8Array; readonly bytes: Uint8Array }[]
  /** Keys of those that are gone. */
  readonly removed: readonly Uint8Array[]
  /** What is to be stored in the end, in the order of their keys. */
  readonly all: readonly { readonly key: Uint8Array; readonly bytes: Uint8Array }[]
}

/**
 * What membership must not forget: the node's own certificate, the last map, and for validators the certificates they
 * know, what they said in the agreement of an epoch, the one map body that they signed in it, the seats of invitations, who was there in
 * the last days, and what it said in a recovery. A
 * write that has returned outlives a crash of the node.
 */
export interface MembershipStore
  extends AgreementStore, AvailabilityStore, BeaconStore, RevocationDatabase, SeatStore, TermStore {
  /** The wire form (weft.v1.Certificate). */
  ownCertificate(): Uint8Array | undefined
  saveOwnCertificate(certificate: Uint8Array): void
  /** The newest epoch in which a map body was signed, with its hash. */
  lastSigned(): { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined
  /** Only the newest is kept: an older epoch is never signed again. */
  saveSigned(epoch: number, bodyHash: Uint8Array): void
  /** The wire forms (weft.v1.AgreementEvidence) of what proves that validators said two things at once. */
  evidence(): Uint8Array[]
  /** Public keys of the certificates that are kept and end after `now`, ms since the Unix epoch. */
  certificateKeys(now: number): Uint8Array[]
  /** The wire form of the certificate of a public key. */
  certificate(key: Uint8Array): Uint8Array | undefined
  saveCertificates(certificates: readonly StoredCertificate[]): void
  /** @param now ms since the Unix epoch */
  dropExpiredCertificates(now: number): void
  /** Its entries in the order of their keys. */
  map(): StoredMap | undefined
  saveMap(map: Uint8Array, changes: StoredChanges): void
}
