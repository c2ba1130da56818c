import { toHex } from '@weft/core'
import type { MembershipStore, StoredCertificate, StoredMap } from './membership-store.ts'

/**
 * The state of membership in memory: for nodes that have no disk, as those of a simulation. It keeps what it is given
 * without a copy, so that nodes that hold the same map hold it once; nobody changes bytes that were handed over.
 */
export class MemoryMembershipStore implements MembershipStore {
  #own: Uint8Array | undefined
  #signed: { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined
  #map: StoredMap | undefined
  /** By public key, hex. */
  readonly #certificates = new Map<string, StoredCertificate>()

  ownCertificate(): Uint8Array | undefined {
    return this.#own
  }

  saveOwnCertificate(certificate: Uint8Array): void {
    this.#own = certificate
  }

  lastSigned(): { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined {
    return this.#signed
  }

  saveSigned(epoch: number, bodyHash: Uint8Array): void {
    this.#signed = { epoch, bodyHash }
  }

  certificates(): Uint8Array[] {
    return [...this.#certificates.values()].map(({ certificate }) => certificate)
  }

  saveCertificates(certificates: readonly StoredCertificate[]): void {
    for (const certificate of certificates) this.#certificates.set(toHex(certificate.key), certificate)
  }

  dropExpiredCertificates(now: number): void {
    for (const [key, { expiresAt }] of this.#certificates) if (expiresAt <= now) this.#certificates.delete(key)
  }

  map(): StoredMap | undefined {
    return this.#map
  }

  saveMap(map: Uint8Array, entries: readonly Uint8Array[] | undefined): void {
    this.#map = { map, entries: entries ?? this.#map?.entries ?? [] }
  }
}
