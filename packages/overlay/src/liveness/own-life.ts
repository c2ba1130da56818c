import type { Clock } from '@weft/core'
import type { SignedEnvelope } from '@weft/crypto'
import { TokenBucket } from '../transport/token-bucket.ts'
import { NONCE_LENGTH, PROOF_RATE, REFUTE_AHEAD_MS, REFUTE_INTERVAL_MS } from './liveness-limits.ts'
import { encodeSignOfLife } from './sign-of-life.ts'
import type { StatementSignatures } from './statement-signatures.ts'

/**
 * What this node says of itself. Its incarnation begins with its clock, so that one of after a restart is above all
 * from before it, and rises only to take back a suspicion (SWIM, section 4.2).
 */
export class OwnLife {
  readonly #network: string
  readonly #signatures: StatementSignatures
  readonly #clock: Clock
  readonly #proofs: TokenBucket
  #incarnation: number
  #refutedAt = -Infinity

  constructor(network: string, signatures: StatementSignatures, clock: Clock) {
    this.#network = network
    this.#signatures = signatures
    this.#clock = clock
    this.#proofs = new TokenBucket(PROOF_RATE, clock.monotonic())
    this.#incarnation = Math.max(1, Math.floor(clock.now()))
  }

  get incarnation(): number {
    return this.#incarnation
  }

  /** Whether a suspicion of this incarnation has to be refuted, and may be already. */
  mustRefute(incarnation: number): boolean {
    return incarnation >= this.#incarnation && this.#clock.monotonic() - this.#refutedAt >= REFUTE_INTERVAL_MS
  }

  /**
   * Rises above an incarnation that is suspected, and says so to everybody. One that is far ahead of the clock was never
   * this node's: a lesser refutation takes it back as well.
   */
  refute(incarnation: number): SignedEnvelope {
    this.#refutedAt = this.#clock.monotonic()
    const suspected = Math.min(incarnation, Math.floor(this.#clock.now()) + REFUTE_AHEAD_MS)
    this.#incarnation = Math.max(this.#incarnation, suspected) + 1
    return this.#sign(new Uint8Array())
  }

  /** A proof for one asker; undefined for a nonce of another length, or when too many are asked for. */
  prove(nonce: Uint8Array): SignedEnvelope | undefined {
    if (nonce.length !== NONCE_LENGTH || !this.#proofs.take(1, this.#clock.monotonic())) return undefined
    return this.#sign(nonce)
  }

  #sign(nonce: Uint8Array): SignedEnvelope {
    const life = { network: this.#network, incarnation: this.#incarnation, nonce }
    return this.#signatures.sign('alive', encodeSignOfLife(life))
  }
}
