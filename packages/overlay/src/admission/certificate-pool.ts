import { compareBytes, toHex } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { CertificateSchema, decodeMessage, encodeMessage } from '@weft/wire'
import type { Network } from '../network/network.ts'
import type { MembershipDatabase } from '../state/membership-database.ts'
import { type VerifiedCertificate, toWireCertificate, verifyCertificate } from './certificate.ts'

/** Bytes of one certificate in its wire form: its body and up to 64 votes of about 100 bytes. */
export const MAX_WIRE_CERTIFICATE = 10 * 1024

/**
 * The certificates that a validator knows: the newest of each key. All were verified; those that a restart brings back
 * are verified again, as a file is no more to be believed than the wire.
 */
export class CertificatePool {
  readonly #network: Network
  readonly #database: MembershipDatabase
  readonly #byId = new Map<DidKey, VerifiedCertificate>()
  readonly #byHash = new Map<string, VerifiedCertificate>()

  constructor(network: Network, database: MembershipDatabase) {
    this.#network = network
    this.#database = database
    for (const bytes of database.certificates()) {
      try {
        this.#keep(verifyCertificate(network, decodeMessage(CertificateSchema, bytes, MAX_WIRE_CERTIFICATE)))
      } catch {
        // Of another network file, or damaged: its owner submits it again.
      }
    }
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: DidKey): VerifiedCertificate | undefined {
    return this.#byId.get(id)
  }

  byHash(hash: Uint8Array): VerifiedCertificate | undefined {
    return this.#byHash.get(toHex(hash))
  }

  /** Keeps those that are newer than what is known of their keys, durably, before it returns. */
  offer(certificates: readonly VerifiedCertificate[]): void {
    const newer = certificates.filter((certificate) => isNewer(certificate, this.#byId.get(certificate.body.id)))
    if (newer.length === 0) return
    this.#database.saveCertificates(
      newer.map((certificate) => ({
        key: certificate.body.key,
        expiresAt: certificate.body.expiresAt,
        certificate: encodeMessage(CertificateSchema, toWireCertificate(certificate)),
      })),
    )
    for (const certificate of newer) this.#keep(certificate)
  }

  /** All that have not expired at `now` (ms since the Unix epoch), sorted by public key: the entries of a map. */
  valid(now: number): VerifiedCertificate[] {
    const valid = [...this.#byId.values()].filter(({ body }) => body.expiresAt > now)
    return valid.sort((a, b) => compareBytes(a.body.key, b.body.key))
  }

  /** Forgets what expired before `now`, ms since the Unix epoch. */
  prune(now: number): void {
    const expired = [...this.#byId.values()].filter(({ body }) => body.expiresAt <= now)
    if (expired.length === 0) return
    this.#database.dropExpiredCertificates(now)
    for (const { body, hash } of expired) {
      this.#byId.delete(body.id)
      this.#byHash.delete(toHex(hash))
    }
  }

  /** Verifies and keeps what a node submits. @throws WeftError as `verifyCertificate` does */
  submit(certificate: Parameters<typeof verifyCertificate>[1]): void {
    this.offer([verifyCertificate(this.#network, certificate)])
  }

  #keep(certificate: VerifiedCertificate): void {
    const known = this.#byId.get(certificate.body.id)
    if (!isNewer(certificate, known)) return
    if (known !== undefined) this.#byHash.delete(toHex(known.hash))
    this.#byId.set(certificate.body.id, certificate)
    this.#byHash.set(toHex(certificate.hash), certificate)
  }
}

/** Of two certificates of one epoch the one with the greater hash counts, so that all validators choose the same. */
function isNewer(candidate: VerifiedCertificate, known: VerifiedCertificate | undefined): boolean {
  if (known === undefined || candidate.body.issuedEpoch > known.body.issuedEpoch) return true
  return candidate.body.issuedEpoch === known.body.issuedEpoch && compareBytes(candidate.hash, known.hash) > 0
}
