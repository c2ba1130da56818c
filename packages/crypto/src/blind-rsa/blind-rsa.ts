import {
  constants,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  verify as verifyBytes,
} from 'node:crypto'
import type { Random } from '@weft/core'
import { equalConstantTime } from '../hash.ts'
import { inverseOf, toBytes, toNumber } from './big-numbers.ts'
import { encodePss, SALT_BYTES } from './emsa-pss.ts'

/**
 * RSABSSA-SHA384-PSS-Deterministic (RFC 9474): signatures of RSA that whoever signs cannot recognise. Numbers are multiplied here while they are
 * blinded and unblinded only; what has to do with the private exponent OpenSSL does.
 */

/** A public key as calculations need it. */
export interface RsaNumbers {
  readonly n: bigint
  /** Bytes of the modulus. */
  readonly length: number
  readonly key: KeyObject
}

/** What is signed, and by what the signature becomes one of the message. */
export interface BlindedMessage {
  /** For who signs. */
  readonly blinded: Uint8Array
  /** Secret: together with the blinded message it tells the message. */
  readonly inverse: Uint8Array
}

/** @param key an RSA key; a private one stands for its public half */
export function rsaNumbers(key: KeyObject): RsaNumbers {
  const open = key.type === 'private' ? createPublicKey(key) : key
  const n = toNumber(new Uint8Array(Buffer.from(open.export({ format: 'jwk' }).n as string, 'base64url')))
  return { n, length: Math.ceil(n.toString(2).length / 8), key: open }
}

/** Blind (section 4.2) with fresh salt and blinding. */
export function blind(to: RsaNumbers, message: Uint8Array, random: Random): BlindedMessage {
  for (;;) {
    // Uniform: what is not below the modulus is drawn again. Nobody will ever see one that has a factor in common with it.
    const r = toNumber(random.bytes(to.length))
    if (r === 0n || r >= to.n) continue
    const blinded = blindWith(to, message, random.bytes(SALT_BYTES), r)
    if (blinded !== undefined) return blinded
  }
}

/** As {@link blind}, with a salt and a blinding of below the modulus that are given; undefined where the one or the other does not fit. */
export function blindWith(
  { n, length, key }: RsaNumbers,
  message: Uint8Array,
  salt: Uint8Array,
  r: bigint,
): BlindedMessage | undefined {
  const encoded = toNumber(encodePss(message, n.toString(2).length - 1, salt))
  const inverse = inverseOf(r, n)
  if (inverse === undefined || inverseOf(encoded, n) === undefined) return undefined
  const factor = toNumber(publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, toBytes(r, length)))
  return { blinded: toBytes((encoded * factor) % n, length), inverse: toBytes(inverse, length) }
}

/** BlindSign (section 4.3); undefined when the bytes are no number below the modulus. */
export function blindSign(secret: KeyObject, blinded: Uint8Array): Uint8Array | undefined {
  const { n, length, key } = rsaNumbers(secret)
  if (blinded.length !== length || toNumber(blinded) >= n) return undefined
  const padding = constants.RSA_NO_PADDING
  const signature = privateDecrypt({ key: secret, padding }, blinded)
  // A signature with a fault in it could tell the key.
  const again = publicEncrypt({ key, padding }, signature)
  return equalConstantTime(again, blinded) ? new Uint8Array(signature) : undefined
}

/** Finalize (section 4.4): the signature over the message; undefined when what came back is none. */
export function finalize(
  to: RsaNumbers,
  message: Uint8Array,
  blindSignature: Uint8Array,
  inverse: Uint8Array,
): Uint8Array | undefined {
  const { n, length } = to
  if (blindSignature.length !== length || toNumber(blindSignature) >= n) return undefined
  const signature = toBytes((toNumber(blindSignature) * toNumber(inverse)) % n, length)
  return verifyPss(to, message, signature) ? signature : undefined
}

/** RSASSA-PSS-VERIFY (RFC 8017, section 8.1.2) with SHA-384 and a salt of 48 bytes. Never throws. */
export function verifyPss({ key, length }: RsaNumbers, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== length) return false
  try {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    return verifyBytes('sha384', message, { key, padding, saltLength: SALT_BYTES }, signature)
  } catch {
    return false
  }
}
