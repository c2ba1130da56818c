import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { concatBytes, systemRandom, utf8 } from '@weft/core'
import { type DidKey, toDidKey } from './did-key.ts'
import { VerifiedSignatures } from './verified-signatures.ts'
import { type X25519KeyPair, x25519KeyPair } from './x25519.ts'
import { VerifyingKeys } from './verifying-keys.ts'

/**
 * Every purpose for which Weft signs. A signature is over `weft:<purpose>:v1`, a zero byte and the exact bytes,
 * so that no signature given for one purpose can be passed off for another.
 */
export type SigningPurpose =
  | 'application'
  | 'challenge'
  | 'vote'
  | 'map'
  | 'revoke'
  | 'lease'
  | 'agreement-proposal'
  | 'agreement-vote'
  | 'record'
  | 'pubsub'
  | 'hello'
  | 'object'
  | 'shard-release'
  | 'shard-deletion'
  | 'audit-manifest'
  | 'audit-answer'
  | 'audit-receipt'
  | 'invitation'
  | 'invitation-use'
  | 'alive'
  | 'suspicion'
  | 'load'
  | 'beacon-dealing'
  | 'attestation'
  | 'receipt'

// RFC 8410, section 7: the fixed DER prefix before the 32 secret bytes.
const PKCS8_PREFIX = Uint8Array.fromHex('302e020100300506032b657004220420')

/** An Ed25519 key pair (RFC 8032). The private half stays inside; only `seed()` lets it out, for key files. */
export class SigningKey {
  readonly publicKey: Uint8Array
  readonly id: DidKey
  readonly #private: KeyObject
  readonly #seed: Uint8Array

  /** @param seed 32 secret bytes; copied. */
  constructor(seed: Uint8Array) {
    if (seed.length !== 32) throw new RangeError(`Ed25519: a seed has 32 bytes, got ${seed.length}`)
    // Not slice(): a Buffer would share its memory, and callers wipe what they read.
    this.#seed = new Uint8Array(seed)
    this.#private = createPrivateKey({
      key: Buffer.from(concatBytes([PKCS8_PREFIX, seed])),
      format: 'der',
      type: 'pkcs8',
    })
    const spki = createPublicKey(this.#private).export({ format: 'der', type: 'spki' })
    this.publicKey = new Uint8Array(spki.subarray(spki.length - 32))
    this.id = toDidKey(this.publicKey)
  }

  static generate(): SigningKey {
    return new SigningKey(systemRandom.bytes(32))
  }

  /** 64 bytes. */
  sign(purpose: SigningPurpose, bytes: Uint8Array): Uint8Array {
    work.made++
    return new Uint8Array(signBytes(null, signedBytes(purpose, bytes), this.#private))
  }

  /** The key pair for agreement that belongs to this one ({@link agreementKeyOf}). Wipe its secret after use. */
  agreementKeyPair(): X25519KeyPair {
    return x25519KeyPair(new Uint8Array(createHash('sha512').update(this.#seed).digest().subarray(0, 32)))
  }

  /** A copy of the secret seed, for key files and for deriving keys of its owner. Wipe it after use. */
  seed(): Uint8Array {
    return this.#seed.slice()
  }

  /** Keeps the secret out of logs and of JSON. */
  toJSON(): { id: DidKey } {
    return { id: this.id }
  }
}

/** True only for a valid Ed25519 signature over exactly these bytes for this purpose. Never throws. */
export function verifySignature(
  purpose: SigningPurpose,
  bytes: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  work.asked++
  const signed = signedBytes(purpose, bytes)
  const name = VerifiedSignatures.nameOf(publicKey, signature, signed)
  if (verified.has(name)) return true
  work.verified++
  try {
    if (!verifyBytes(null, signed, keys.of(publicKey), signature)) return false
  } catch {
    return false
  }
  verified.add(name)
  return true
}

/**
 * Remembers more signatures that were found valid than the 4,096 of one node, about 150 bytes each: for a process in which many nodes run,
 * each of which verifies what the others do. What is believed does not hang on it.
 */
export function rememberSignatures(most: number): void {
  verified.keep(most)
}

/** What this process did with signatures since it began. */
export interface SignatureWork {
  readonly made: number
  /** Questions whether a signature is valid. */
  readonly asked: number
  /** Those of them for which it was computed; for the others it was known. */
  readonly verified: number
}

export function signatureWork(): SignatureWork {
  return { ...work }
}

const verified = new VerifiedSignatures()
const keys = new VerifyingKeys()
const work = { made: 0, asked: 0, verified: 0 }

function signedBytes(purpose: SigningPurpose, bytes: Uint8Array): Uint8Array {
  return concatBytes([utf8(`weft:${purpose}:v1\0`), bytes])
}
