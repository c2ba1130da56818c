import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { concatBytes, equalBytes, type Random, toBase64Url } from '@weft/core'
import { sha256 } from '../hash.ts'
import { blind, type BlindedMessage, blindSign, finalize, rsaNumbers, type RsaNumbers, verifyPss } from './blind-rsa.ts'

/** Bytes of the modulus, and so of what is blinded and of signatures. */
export const TOKEN_MODULUS_BYTES = 256
const BITS = 8 * TOKEN_MODULUS_BYTES
const EXPONENT = 65_537

/**
 * A SubjectPublicKeyInfo of RSASSA-PSS with SHA-384, MGF1 over SHA-384 and a salt of 48 bytes, for a modulus of 2,048 bits and the exponent 65,537,
 * in DER (RFC 9578, section 6.5; RFC 4055, section 3.1): but for the modulus each is these bytes.
 */
const BEFORE = Uint8Array.fromHex(
  '30820152303d06092a864886f70d01010a3030a00d300b0609608648016503040202a11a301806092a864886f70d010108300b0609608648016503040202a2030201300382010f003082010a0282010100',
)
const BEHIND = Uint8Array.fromHex('0203010001')
export const TOKEN_KEY_BYTES = BEFORE.length + TOKEN_MODULUS_BYTES + BEHIND.length

/** By which an issuer's blind signatures are asked for and verified. */
export class TokenKey {
  /** As it is sent: DER. */
  readonly bytes: Uint8Array
  /** SHA-256 of that: its name in tokens. */
  readonly id: Uint8Array
  readonly #numbers: RsaNumbers

  private constructor(bytes: Uint8Array, numbers: RsaNumbers) {
    this.bytes = bytes
    this.id = sha256(bytes)
    this.#numbers = numbers
  }

  /** Undefined unless it is such a key, to the last bit: nothing but the modulus differs from one to the other. */
  static parse(bytes: Uint8Array): TokenKey | undefined {
    if (bytes.length !== TOKEN_KEY_BYTES) return undefined
    const end = BEFORE.length + TOKEN_MODULUS_BYTES
    const isFramed = equalBytes(bytes.subarray(0, BEFORE.length), BEFORE) && equalBytes(bytes.subarray(end), BEHIND)
    const modulus = bytes.slice(BEFORE.length, end)
    const isOfBits = (modulus[0] as number) >= 0x80 && (modulus[TOKEN_MODULUS_BYTES - 1] as number) % 2 === 1
    if (!isFramed || !isOfBits) return undefined
    return TokenKey.#of(modulus)
  }

  /** @param key RSA of 2,048 bits and exponent 65,537 */
  static ofKey(key: KeyObject): TokenKey {
    return TokenKey.#of(new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).n as string, 'base64url')))
  }

  static #of(modulus: Uint8Array): TokenKey {
    const jwk = { kty: 'RSA', n: toBase64Url(modulus), e: 'AQAB' }
    const numbers = rsaNumbers(createPublicKey({ key: jwk, format: 'jwk' }))
    return new TokenKey(concatBytes([BEFORE, modulus, BEHIND]), numbers)
  }

  blind(message: Uint8Array, random: Random): BlindedMessage {
    return blind(this.#numbers, message, random)
  }

  /** The signature over the message that was blinded; undefined when the issuer's answer is none. */
  finalize(message: Uint8Array, blindSignature: Uint8Array, inverse: Uint8Array): Uint8Array | undefined {
    return finalize(this.#numbers, message, blindSignature, inverse)
  }

  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return verifyPss(this.#numbers, message, signature)
  }
}

/** The issuer's half. It stays inside OpenSSL, but for {@link export}. */
export class TokenSecret {
  readonly key: TokenKey
  readonly #secret: KeyObject

  private constructor(secret: KeyObject) {
    this.#secret = secret
    this.key = TokenKey.ofKey(createPublicKey(secret))
  }

  /** Takes some hundred ms, of another thread. */
  static async generate(): Promise<TokenSecret> {
    const options = { modulusLength: BITS, publicExponent: EXPONENT }
    const { privateKey } = await promisify(generateKeyPair)('rsa', options)
    return new TokenSecret(privateKey)
  }

  /** @param bytes PKCS #8 in DER; undefined unless it is a key of RSA, of 2,048 bits and exponent 65,537 */
  static parse(bytes: Uint8Array): TokenSecret | undefined {
    try {
      const secret = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
      const { modulusLength, publicExponent } = secret.asymmetricKeyDetails ?? {}
      const isOne = secret.asymmetricKeyType === 'rsa' && modulusLength === BITS && publicExponent === BigInt(EXPONENT)
      return isOne ? new TokenSecret(secret) : undefined
    } catch {
      return undefined
    }
  }

  /** For its file: PKCS #8 in DER. Wipe it after use. */
  export(): Uint8Array {
    return this.#secret.export({ format: 'der', type: 'pkcs8' })
  }

  /** Undefined when the bytes are no number below the modulus. */
  sign(blinded: Uint8Array): Uint8Array | undefined {
    return blindSign(this.#secret, blinded)
  }

  /** Keeps the secret out of logs and of JSON. */
  toJSON(): { readonly id: string } {
    return { id: this.key.id.toHex() }
  }
}
