import type { DidKey } from '@weft/crypto'

/** An issuer's key of one epoch. Plain data, so that it crosses to packet threads. */
export interface IssuerKey {
  readonly issuer: DidKey
  readonly epoch: number
  /** As {@link TokenKey.parse} takes it. */
  readonly bytes: Uint8Array
}

/** Blinded messages, or spends, of one call at most. */
export const MAX_BATCH = 64

/** Who issues tokens to this node, and takes back those that others spent to it. All three throw a WeftError when it cannot be asked or refuses. */
export interface ReceiptIssuer {
  readonly id: DidKey
  /** Those whose tokens it takes back, and how many this node may still have of the present epoch. */
  keys(signal: AbortSignal): Promise<{ readonly keys: readonly IssuerKey[]; readonly left: number }>
  /** Blind signatures of 256 bytes, one for each message, in their order. */
  issue(epoch: number, blinded: readonly Uint8Array[], signal: AbortSignal): Promise<readonly Uint8Array[]>
  /** One answer for each spend, in their order (docs/specs/receipts.md, On a circuit). */
  redeem(spends: readonly Uint8Array[], signal: AbortSignal): Promise<readonly number[]>
}
