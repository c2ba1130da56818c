import { WeftError, concatBytes, type Random, utf8 } from '@weft/core'
import { type SigningKey, hkdf, wipe } from '@weft/crypto'
import { type LogarithmClaim, proveLogarithm, verifyLogarithm } from './common-logarithm.ts'
import { BASE, ELEMENT_BYTES, type Element, multiply } from './group.ts'
import { SCALAR_BYTES, WIDE_BYTES, isScalar, reduceWide } from './scalar.ts'

/** What a validator's share of each dealing is encrypted to (docs/specs/beacon.md, Keys). */
export interface BeaconKeyPair {
  readonly publicKey: Element
  /** A scalar. Wipe it after use. */
  readonly secretKey: Uint8Array
}

/** A public key with the proof that its validator knows the secret half: what the validator is listed with. */
export interface BeaconKeyEntry {
  /** 32 bytes. */
  readonly publicKey: Element
  /** 64 bytes: challenge and response. */
  readonly proof: Uint8Array
}

const PROOF_BYTES = 2 * SCALAR_BYTES

/**
 * The validator's beacon key, derived from the seed of its node key by HKDF: another key, which survives a restart as the
 * node key does and needs no file of its own.
 */
export function deriveBeaconKey(nodeKey: SigningKey): BeaconKeyPair {
  const seed = nodeKey.seed()
  const wide = hkdf(seed, new Uint8Array(0), 'weft:beacon-key:v1', WIDE_BYTES)
  const secretKey = reduceWide(wide)
  wipe(seed, wide)
  const publicKey = multiply(secretKey, BASE)
  if (publicKey === undefined) throw new RangeError('beacon key: the derived scalar is zero')
  return { publicKey, secretKey }
}

/** @param nodeKey 32 bytes: the Ed25519 key of the validator in whose name the key is listed */
export function enterBeaconKey(
  network: string,
  nodeKey: Uint8Array,
  { publicKey, secretKey }: BeaconKeyPair,
  random: Random,
): BeaconKeyEntry {
  const { challenge, response } = proveLogarithm(claimOf(network, nodeKey, publicKey), secretKey, random)
  return { publicKey, proof: concatBytes([challenge, response]) }
}

/**
 * Checks that whoever listed the key knows its secret half; without that a key could be made out of another's.
 * @throws WeftError E_BEACON_KEY
 */
export function verifyBeaconKey(network: string, nodeKey: Uint8Array, { publicKey, proof }: BeaconKeyEntry): void {
  if (publicKey.length !== ELEMENT_BYTES || proof.length !== PROOF_BYTES) {
    throw refuse(`it has a key of ${publicKey.length} bytes and a proof of ${proof.length}`)
  }
  const challenge = proof.subarray(0, SCALAR_BYTES)
  const response = proof.subarray(SCALAR_BYTES)
  if (!isScalar(challenge) || !isScalar(response)) throw refuse('a scalar of its proof is not below the order')
  if (!verifyLogarithm(claimOf(network, nodeKey, publicKey), { challenge, response })) {
    throw refuse('its proof of possession does not hold for this network and validator')
  }
}

function claimOf(network: string, nodeKey: Uint8Array, publicKey: Element): LogarithmClaim {
  // Ids of networks all have one length.
  return {
    domain: 'weft:beacon-possession:v1',
    context: [utf8(network), nodeKey],
    bases: [BASE],
    values: [publicKey],
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_BEACON_KEY',
    cause: `The beacon key of a validator cannot be used: ${why}.`,
    fix: 'The validator has to list the key that it derives from its node key (docs/specs/beacon.md); update the older side.',
  })
}
