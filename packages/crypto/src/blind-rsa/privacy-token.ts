import { concatBytes, equalBytes, utf8 } from '@weft/core'
import { sha256 } from '../hash.ts'
import { type TokenKey, TOKEN_MODULUS_BYTES } from './token-key.ts'

/** Blind RSA of 2,048 bits (RFC 9578, section 8.2.2). */
const TOKEN_TYPE = 2
const HEAD = Uint8Array.of(0, TOKEN_TYPE)
const PART = 32
/** Bytes of a token without its authenticator, which is over these. */
const TOKEN_INPUT_BYTES = HEAD.length + 3 * PART
/** Bytes of a whole one. */
export const TOKEN_BYTES = TOKEN_INPUT_BYTES + TOKEN_MODULUS_BYTES

/** A token (RFC 9578, section 6.3). Each field is a view into its bytes. */
export interface PrivacyToken {
  readonly bytes: Uint8Array
  readonly nonce: Uint8Array
  readonly challengeDigest: Uint8Array
  /** {@link TokenKey.id} of the issuer's key. */
  readonly keyId: Uint8Array
  readonly authenticator: Uint8Array
}

/** SHA-256 of a TokenChallenge (RFC 9577, section 2.1.1). @param context 32 bytes: the redemption context */
export function challengeDigest(issuer: string, context: Uint8Array, origin: string): Uint8Array {
  if (context.length !== PART) throw new RangeError('TokenChallenge: a redemption context has 32 bytes here')
  return sha256(HEAD, withLength(utf8(issuer)), Uint8Array.of(context.length), context, withLength(utf8(origin)))
}

function withLength(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0xffff) throw new RangeError('TokenChallenge: a name is too long')
  return concatBytes([Uint8Array.of(bytes.length >> 8, bytes.length), bytes])
}

/** What an issuer signs blindly. */
export function tokenInput(nonce: Uint8Array, challenge: Uint8Array, key: TokenKey): Uint8Array {
  if (nonce.length !== PART || challenge.length !== PART) throw new RangeError('Token: a part has another length')
  return concatBytes([HEAD, nonce, challenge, key.id])
}

/** Undefined when the bytes are no token of this type. Whether it is authentic is another question: {@link isAuthentic}. */
export function parseToken(bytes: Uint8Array): PrivacyToken | undefined {
  if (bytes.length !== TOKEN_BYTES || !equalBytes(bytes.subarray(0, HEAD.length), HEAD)) return undefined
  const part = (index: number): Uint8Array =>
    bytes.subarray(HEAD.length + index * PART, HEAD.length + (index + 1) * PART)
  return {
    bytes,
    nonce: part(0),
    challengeDigest: part(1),
    keyId: part(2),
    authenticator: bytes.subarray(TOKEN_INPUT_BYTES),
  }
}

/** Whether the issuer with this key signed it, for this challenge. */
export function isAuthentic(token: PrivacyToken, challenge: Uint8Array, key: TokenKey): boolean {
  return (
    equalBytes(token.keyId, key.id) &&
    equalBytes(token.challengeDigest, challenge) &&
    key.verify(token.bytes.subarray(0, TOKEN_INPUT_BYTES), token.authenticator)
  )
}
