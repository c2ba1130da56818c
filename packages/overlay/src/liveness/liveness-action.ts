import type { DidKey, SignedEnvelope } from '@weft/crypto'
import type { Statements } from './gossip-queue.ts'
import type { Standing } from './watched-peer.ts'

/** What the caller has to do. */
export type LivenessAction =
  /** Send `liveness.ping`; then tell `answered` or `failed`. */
  | { readonly kind: 'probe'; readonly to: DidKey; readonly statements: Statements }
  /** Send `liveness.ask`; then tell `replied`. */
  | {
      readonly kind: 'ask'
      readonly helper: DidKey
      readonly target: DidKey
      readonly nonce: Uint8Array
      readonly incarnation: number
    }
  /** A neighbour stands differently from now on. */
  | StandingChange

export interface StandingChange {
  readonly kind: 'standing'
  readonly id: DidKey
  readonly standing: Standing
  /** Who holds it silent, this node included, each of another family and network. */
  readonly observers: number
  /** ms. */
  readonly silentMs: number
}

/** A neighbour's own words in answer to a probe. */
export interface ProbeAnswer {
  readonly incarnation: number
  readonly statements: Statements
}

/** What a helper brought: a proof by the target, its own suspicion, or neither. */
export interface HelperReply {
  readonly alive?: SignedEnvelope
  readonly silent?: SignedEnvelope
}
