import { type Clock, Emitter, type Logger, messageOf } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Revocation, RevocationSchema, decodeMessage, encodeMessage } from '@weft/wire'
import type { CertificateBody } from '../admission/certificate-body.ts'
import type { Network } from '../network/network.ts'
import type { RevocationDatabase } from './revocation-database.ts'
import {
  MAX_WIRE_REVOCATION,
  type VerifiedRevocation,
  endOf,
  isLater,
  isVoid,
  toWireRevocation,
  verifyRevocation,
} from './revocation.ts'

export interface RevocationsInit {
  readonly network: Network
  readonly database: RevocationDatabase
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The decisions that are in force, the newest of each key. Each was verified, those of before a restart again. Only what a
 * quorum of validators signed gets in, so there are at most as many as nodes were ever certified.
 */
export class Revocations {
  readonly #init: RevocationsInit
  readonly #byId = new Map<DidKey, VerifiedRevocation>()
  readonly #emitter = new Emitter<{ change: DidKey }>()

  constructor(init: RevocationsInit) {
    this.#init = init
    const { network, database } = init
    for (const bytes of database.revocations()) {
      try {
        const revocation = verifyRevocation(network, decodeMessage(RevocationSchema, bytes, MAX_WIRE_REVOCATION))
        if (!this.#isOver(revocation)) this.#byId.set(revocation.body.id, revocation)
      } catch {
        // Of another network file, or damaged: validators have it and tell it again.
      }
    }
  }

  /** Decisions that are known, in force or not. */
  get size(): number {
    return this.#byId.size
  }

  /** Those in force, for whoever asks. */
  all(): readonly VerifiedRevocation[] {
    return [...this.#byId.values()].filter((revocation) => !this.#isOver(revocation))
  }

  /** The decision about a key that is in force. */
  of(id: DidKey): VerifiedRevocation | undefined {
    const known = this.#byId.get(id)
    return known === undefined || this.#isOver(known) ? undefined : known
  }

  /** Whether a certificate, or an entry of a map, counts no more. */
  voids(certificate: Pick<CertificateBody, 'issuedEpoch' | 'id'>): boolean {
    const known = this.#byId.get(certificate.id)
    return known !== undefined && isVoid(certificate, known.body)
  }

  /** Whether a decision says something that is not known here, and is not over. */
  isNews(revocation: VerifiedRevocation): boolean {
    return !this.#isOver(revocation) && isLater(revocation, this.#byId.get(revocation.body.id))
  }

  /**
   * Takes a decision from anywhere. True when it was news.
   * @throws WeftError E_REVOCATION_MALFORMED, E_NETWORK_MISMATCH, E_REVOCATION_QUORUM
   */
  offer(message: Pick<Revocation, 'body' | 'votes'>): boolean {
    const { network, database, logger } = this.#init
    const revocation = verifyRevocation(network, message)
    const { id, key } = revocation.body
    if (!this.isNews(revocation)) return false
    this.#byId.set(id, revocation)
    try {
      database.saveRevocation({
        key,
        endsAt: endOf(network, revocation.body),
        revocation: encodeMessage(RevocationSchema, toWireRevocation(revocation)),
      })
    } catch (error) {
      // It counts without the file; after a restart validators tell it again.
      logger.warn('a revocation could not be kept', { error: messageOf(error) })
    }
    this.#emitter.emit('change', id)
    return true
  }

  /** Forgets those that have no effect any more. */
  prune(): void {
    const over = [...this.#byId.values()].filter((revocation) => this.#isOver(revocation))
    if (over.length === 0) return
    this.#init.database.dropEndedRevocations(this.#init.clock.now())
    for (const { body } of over) this.#byId.delete(body.id)
  }

  /** Calls back after a decision was taken in; returns the unsubscribe function. */
  onChange(listener: (id: DidKey) => void): () => void {
    return this.#emitter.on('change', listener)
  }

  #isOver({ body }: VerifiedRevocation): boolean {
    return endOf(this.#init.network, body) <= this.#init.clock.now()
  }
}
