import { equalBytes, type Random } from '@weft/core'
import { wipe } from '@weft/crypto'
import { type Element, add, multiply } from './group.ts'
import { hashToScalar } from './hash-to-scalars.ts'
import { fromScalar, multiplyByPublic, randomScalar, subtractScalars } from './scalar.ts'

/** What is claimed: one secret scalar takes each base to the value beside it. */
export interface LogarithmClaim {
  /** Separates the uses of the proof; see `expandMessage`. */
  readonly domain: string
  /** What the proof is bound to; parts of fixed length. */
  readonly context: readonly Uint8Array[]
  readonly bases: readonly Element[]
  readonly values: readonly Element[]
}

export interface LogarithmProof {
  /** A scalar, 32 bytes. */
  readonly challenge: Uint8Array
  /** A scalar, 32 bytes. */
  readonly response: Uint8Array
}

/**
 * Proves knowledge of the one logarithm of all values: with one base Schnorr's proof (RFC 8235), with two that of Chaum
 * and Pedersen (CRYPTO '92), made non-interactive by Fiat and Shamir over the whole claim.
 */
export function proveLogarithm(claim: LogarithmClaim, secret: Uint8Array, random: Random): LogarithmProof {
  const nonce = randomScalar(random)
  const commitments = claim.bases.map((base) => {
    const commitment = multiply(nonce, base)
    if (commitment === undefined) throw new RangeError('a proof needs bases that are elements')
    return commitment
  })
  const challenge = challengeOf(claim, commitments)
  const product = multiplyByPublic(secret, fromScalar(challenge))
  const response = subtractScalars(nonce, product)
  wipe(nonce, product)
  return { challenge, response }
}

/** Whether the proof holds. Also false when a base or a value is no element; never throws for what came from outside. */
export function verifyLogarithm(claim: LogarithmClaim, { challenge, response }: LogarithmProof): boolean {
  const commitments: Element[] = []
  for (const [at, base] of claim.bases.entries()) {
    const left = multiply(response, base)
    const right = multiply(challenge, claim.values[at] as Element)
    if (left === undefined || right === undefined) return false
    commitments.push(add(left, right))
  }
  return equalBytes(challengeOf(claim, commitments), challenge)
}

function challengeOf({ domain, context, bases, values }: LogarithmClaim, commitments: readonly Element[]): Uint8Array {
  return hashToScalar(domain, [...context, ...bases, ...values, ...commitments])
}
