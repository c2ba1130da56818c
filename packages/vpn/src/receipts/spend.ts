import { concatBytes } from '@weft/core'
import { isAuthentic, parseToken, type PrivacyToken, SigningKey, TOKEN_BYTES, verifySignature } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import type { KeyRing, RingKey } from './key-ring.ts'
import { epochBytes } from './receipt-epoch.ts'

const SIGNATURE_BYTES = 64
/** A token, and the signature that binds it to its payee (docs/specs/receipts.md, Spending). */
export const SPEND_BYTES = TOKEN_BYTES + SIGNATURE_BYTES

/** A token as its owner has it. */
export interface OwnToken {
  readonly epoch: number
  /** 32 bytes, secret: of the key pair whose public half is the token's nonce. */
  readonly seed: Uint8Array
  readonly token: Uint8Array
}

/** Binds a token to a payee for good. @param payee its node key */
export function makeSpend({ epoch, seed, token }: OwnToken, payee: Uint8Array): Uint8Array {
  const signature = new SigningKey(seed).sign('receipt', boundBytes(token, payee, epoch))
  return concatBytes([token, signature])
}

/** Undefined when it is not of that length and type. */
export function parseSpend(bytes: Uint8Array): (PrivacyToken & { readonly signature: Uint8Array }) | undefined {
  if (bytes.length !== SPEND_BYTES) return undefined
  const token = parseToken(bytes.subarray(0, TOKEN_BYTES))
  return token && { ...token, signature: bytes.subarray(TOKEN_BYTES) }
}

/** A spend that is good, as long as it is the first one of its token. */
export interface GoodSpend {
  readonly nonce: Uint8Array
  readonly key: RingKey
}

/** A spend of a key that is known; nothing of it is verified. */
export interface ReadSpend {
  readonly parsed: PrivacyToken & { readonly signature: Uint8Array }
  readonly key: RingKey
}

/** What costs next to nothing to see. @param isTaken whether tokens of an epoch are taken */
export function readSpend(
  bytes: Uint8Array,
  keys: Pick<KeyRing, 'of'>,
  isTaken: (epoch: number) => boolean,
): ReadSpend | typeof ReceiptAnswer.malformed | typeof ReceiptAnswer.unknownKey {
  const parsed = parseSpend(bytes)
  if (parsed === undefined) return ReceiptAnswer.malformed
  const key = keys.of(parsed)
  return key === undefined || !isTaken(key.epoch) ? ReceiptAnswer.unknownKey : { parsed, key }
}

/** Whether its issuer signed it, and it is one to this payee. */
export function verifySpend(
  { parsed, key }: ReadSpend,
  payee: Uint8Array,
): GoodSpend | typeof ReceiptAnswer.notAuthentic | typeof ReceiptAnswer.notForThis {
  if (!isAuthentic(parsed, key.challenge, key.key)) return ReceiptAnswer.notAuthentic
  const bound = boundBytes(parsed.bytes, payee, key.epoch)
  if (!verifySignature('receipt', bound, parsed.signature, parsed.nonce)) return ReceiptAnswer.notForThis
  return { nonce: parsed.nonce, key }
}

/** Both. Whether it was there before is for who keeps them. */
export function checkSpend(
  bytes: Uint8Array,
  payee: Uint8Array,
  keys: Pick<KeyRing, 'of'>,
  isTaken: (epoch: number) => boolean,
): GoodSpend | Exclude<ReceiptAnswer, 0 | 1> {
  const read = readSpend(bytes, keys, isTaken)
  return typeof read === 'number' ? read : verifySpend(read, payee)
}

function boundBytes(token: Uint8Array, payee: Uint8Array, epoch: number): Uint8Array {
  return concatBytes([payee, epochBytes(epoch), token])
}
