import { concatBytes, utf8 } from '@weft/core'
import { challengeDigest, type DidKey, sha256 } from '@weft/crypto'

/** ms of an epoch. */
export const EPOCH_MS = 86_400_000
/** Epochs in which hops take the tokens of one, its own included; and in which its issuer takes them back. */
export const SPENT_EPOCHS = 2
export const REDEEMED_EPOCHS = 3

/** @param now ms since the Unix epoch */
export function receiptEpoch(now: number): number {
  return Math.floor(now / EPOCH_MS)
}

/** 4 bytes, as epochs stand in what is signed and digested. */
export function epochBytes(epoch: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, epoch)
  return bytes
}

/** What tokens of an issuer, a network and an epoch are for (docs/specs/receipts.md, Token). */
export function receiptChallenge(networkId: string, issuer: DidKey, epoch: number): Uint8Array {
  const context = sha256(concatBytes([utf8(`weft:receipts:v1\0${networkId}\0`), epochBytes(epoch)]))
  return challengeDigest(issuer, context, '')
}
