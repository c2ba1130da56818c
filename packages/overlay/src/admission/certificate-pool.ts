import { type Clock, WeftError, compareBytes, equalBytes, fromHex, throwIfAborted, toHex, wait } from '@weft/core'
import { type DidKey, fromDidKey, shortId } from '@weft/crypto'
import { CertificateSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import type { Term } from '../terms/term.ts'
import { type VerifiedCertificate, toWireCertificate, verifyCertificate } from './certificate.ts'
import { certificateHash, decodeCertificateBody } from './certificate-body.ts'

/** Bytes of one certificate in its wire form: its body and up to 64 votes of about 100 bytes. */
export const MAX_WIRE_CERTIFICATE = 10 * 1024

/**
 * The certificates that a validator knows: the newest of each key. All were verified; those that a restart brings back
 * are verified again, as a file is no more to be believed than the wire. With many validators that is milliseconds for
 * each and minutes for all, so `read` does it while the node works; until then whoever is asked about is read first,
 * and `valid` and `byHash`, which look at all, say too little: see `isWhole`. What has expired is not taken, so that an
 * old certificate that somebody sends again costs no write.
 */
export class CertificatePool {
  readonly #network: Network
  readonly #database: MembershipStore
  readonly #clock: Clock
  readonly #revocations: Pick<Revocations, 'voids'>
  readonly #byId = new Map<DidKey, VerifiedCertificate>()
  readonly #byHash = new Map<string, VerifiedCertificate>()
  /** Map epoch in which the certificate of a key came. */
  readonly #learnt = new Map<DidKey, number>()
  /** Public keys, hex, of certificates on the disk that are to be verified. */
  readonly #unread: Set<string>
  /** Map epoch in which this process or the newest term began here. */
  #since: number

  constructor(network: Network, database: MembershipStore, clock: Clock, revocations: Pick<Revocations, 'voids'>) {
    this.#network = network
    this.#database = database
    this.#clock = clock
    this.#revocations = revocations
    this.#since = epochAt(network.file, clock.now())
    this.#unread = new Set(database.certificateKeys(clock.now() - network.file.clockToleranceMs).map(toHex))
  }

  /** Of those that were read. */
  get size(): number {
    return this.#byId.size
  }

  /** Whether all that the disk has were read. Before, nobody may conclude from it who is no member. */
  get isWhole(): boolean {
    return this.#unread.size === 0
  }

  /**
   * Reads what is on the disk; after each certificate others have the thread. By the clock, so that a simulated restart
   * goes the same way each time.
   * @param keys hex; all by default
   * @throws WeftError E_ABORTED
   */
  async read(signal: AbortSignal, keys: Iterable<string> = this.#unread): Promise<void> {
    for (const key of keys) {
      if (!this.#unread.has(key)) continue
      throwIfAborted(signal)
      this.#readOne(key)
      await wait(this.#clock, 0, signal)
    }
  }

  /**
   * A term begins in which this validator has a seat again. What was issued in it is verified once more, by its
   * validators; and as those that are new have had no turn yet, all counts as learnt now.
   */
  beginTerm({ fromEpoch }: Pick<Term, 'fromEpoch'>): void {
    this.#since = epochAt(this.#network.file, this.#clock.now())
    for (const certificate of this.#byId.values()) {
      if (certificate.body.issuedEpoch < fromEpoch) continue
      this.#forget(certificate)
      this.#unread.add(toHex(certificate.body.key))
    }
  }

  get(id: DidKey): VerifiedCertificate | undefined {
    if (!this.isWhole) this.#readOne(toHex(fromDidKey(id)))
    return this.#byId.get(id)
  }

  /** The map epoch, by the clock of this node, since which it knows the certificate that `get` returns; no earlier than its start and the newest term. */
  learntEpoch(id: DidKey): number | undefined {
    const epoch = this.#learnt.get(id)
    return epoch === undefined ? undefined : Math.max(epoch, this.#since)
  }

  /** Whether the node holds a certificate that has neither expired nor been revoked. */
  isCertified(id: DidKey): boolean {
    const known = this.get(id)
    return known !== undefined && known.body.expiresAt > this.#clock.now() && !this.#revocations.voids(known.body)
  }

  byHash(hash: Uint8Array): VerifiedCertificate | undefined {
    return this.#byHash.get(toHex(hash))
  }

  /** Keeps those that are valid and newer than what is known of their keys, on the disk as well: the last of them may be lost with the power. */
  offer(certificates: readonly VerifiedCertificate[]): void {
    const newer = certificates.filter(
      (certificate) => !this.#isExpired(certificate) && isNewer(certificate, this.get(certificate.body.id)),
    )
    if (newer.length === 0) return
    this.#database.saveCertificates(
      newer.map((certificate) => ({
        key: certificate.body.key,
        expiresAt: certificate.body.expiresAt,
        certificate: encodeMessage(CertificateSchema, toWireCertificate(certificate)),
      })),
    )
    const now = epochAt(this.#network.file, this.#clock.now())
    for (const certificate of newer) this.#keep(certificate, now)
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
    for (const certificate of expired) this.#forget(certificate)
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

  /** Verifies what the disk has of a key, unless that was done. */
  #readOne(key: string): void {
    if (!this.#unread.delete(key)) return
    const bytes = this.#database.certificate(fromHex(key))
    if (bytes === undefined) return
    try {
      const certificate = decodeMessage(CertificateSchema, bytes, MAX_WIRE_CERTIFICATE)
      const verified = verifyCertificate(this.#network, certificate)
      if (equalBytes(verified.body.key, fromHex(key))) this.#keep(verified, this.#since)
    } catch {
      // Of another network file, or damaged: its owner submits it again.
    }
  }

  #forget({ body, hash }: VerifiedCertificate): void {
    this.#byId.delete(body.id)
    this.#byHash.delete(toHex(hash))
    this.#learnt.delete(body.id)
  }

  #keep(certificate: VerifiedCertificate, learnt: number): void {
    const known = this.#byId.get(certificate.body.id)
    if (!isNewer(certificate, known)) return
    if (known !== undefined) this.#byHash.delete(toHex(known.hash))
    this.#byId.set(certificate.body.id, certificate)
    this.#byHash.set(toHex(certificate.hash), certificate)
    this.#learnt.set(certificate.body.id, learnt)
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
