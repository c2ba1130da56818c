import { type Clock, WeftError, compareBytes, toHex } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { CertificateSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import { type VerifiedCertificate, toWireCertificate, verifyCertificate } from './certificate.ts'
import { certificateHash, decodeCertificateBody } from './certificate-body.ts'

/** Bytes of one certificate in its wire form: its body and up to 64 votes of about 100 bytes. */
export const MAX_WIRE_CERTIFICATE = 10 * 1024

/**
 * The certificates that a validator knows: the newest of each key. All were verified; those that a restart brings back
 * are verified again, as a file is no more to be believed than the wire. What has expired is not taken, so that an old
 * certificate that somebody sends again costs no write.
 */
export class CertificatePool {
  readonly #network: Network
  readonly #database: MembershipStore
  readonly #clock: Clock
  readonly #revocations: Pick<Revocations, 'voids'>
  readonly #byId = new Map<DidKey, VerifiedCertificate>()
  readonly #byHash = new Map<string, VerifiedCertificate>()
  /** Map epoch in which the certificate of a key came, or in which this process began. */
  readonly #learnt = new Map<DidKey, number>()

  constructor(network: Network, database: MembershipStore, clock: Clock, revocations: Pick<Revocations, 'voids'>) {
    this.#network = network
    this.#database = database
    this.#clock = clock
    this.#revocations = revocations
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

  /** The map epoch, by the clock of this node, since which it knows the certificate that `get` returns. */
  learntEpoch(id: DidKey): number | undefined {
    return this.#learnt.get(id)
  }

  /** Whether the node holds a certificate that has neither expired nor been revoked. */
  isCertified(id: DidKey): boolean {
    const known = this.#byId.get(id)
    return known !== undefined && known.body.expiresAt > this.#clock.now() && !this.#revocations.voids(known.body)
  }

  byHash(hash: Uint8Array): VerifiedCertificate | undefined {
    return this.#byHash.get(toHex(hash))
  }

  /** Keeps those that are valid and newer than what is known of their keys, durably, before it returns. */
  offer(certificates: readonly VerifiedCertificate[]): void {
    const newer = certificates.filter(
      (certificate) => !this.#isExpired(certificate) && isNewer(certificate, this.#byId.get(certificate.body.id)),
    )
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

  /** All that have neither expired at `now` (ms since the Unix epoch) nor been revoked, sorted by public key: the entries of a map. */
  valid(now: number): VerifiedCertificate[] {
    const valid = [...this.#byId.values()].filter(({ body }) => body.expiresAt > now && !this.#revocations.voids(body))
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
      this.#learnt.delete(body.id)
    }
  }

  /** Verifies and keeps what a node submits. @throws WeftError E_CERTIFICATE_EXPIRED and those of `verifyCertificate` */
  submit(certificate: Parameters<typeof verifyCertificate>[1]): void {
    // Any quorum of votes over these bytes is as good as the one that is known: signatures need no second look.
    if (this.byHash(certificateHash(certificate.body)) !== undefined) return
    // What costs nothing first: signatures are looked at last.
    const body = decodeCertificateBody(certificate.body)
    if (this.#isExpired({ body })) throw expired({ body })
    this.offer([verifyCertificate(this.#network, certificate)])
  }

  /** With the tolerance: a leader whose clock is behind may still count it as valid. */
  #isExpired({ body }: Pick<VerifiedCertificate, 'body'>): boolean {
    return body.expiresAt + this.#network.file.clockToleranceMs <= this.#clock.now()
  }

  #keep(certificate: VerifiedCertificate): void {
    const known = this.#byId.get(certificate.body.id)
    if (!isNewer(certificate, known)) return
    if (known !== undefined) this.#byHash.delete(toHex(known.hash))
    this.#byId.set(certificate.body.id, certificate)
    this.#byHash.set(toHex(certificate.hash), certificate)
    this.#learnt.set(certificate.body.id, epochAt(this.#network.file, this.#clock.now()))
  }
}

/** Of two certificates of one epoch the one with the greater hash counts, so that all validators choose the same. */
function isNewer(candidate: VerifiedCertificate, known: VerifiedCertificate | undefined): boolean {
  if (known === undefined || candidate.body.issuedEpoch > known.body.issuedEpoch) return true
  return candidate.body.issuedEpoch === known.body.issuedEpoch && compareBytes(candidate.hash, known.hash) > 0
}

function expired({ body }: Pick<VerifiedCertificate, 'body'>): WeftError {
  return new WeftError({
    code: 'E_CERTIFICATE_EXPIRED',
    cause: `The certificate of ${shortId(body.id)} ended at ${body.expiresAt} ms since the Unix epoch.`,
    fix: 'The node has to apply again; check the clocks of the node and of the validator.',
  })
}
