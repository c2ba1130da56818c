import type { BeaconRoster } from './beacon-roster.ts'
import { seatBytes } from './beacon-roster.ts'
import type { LogarithmClaim } from './common-logarithm.ts'
import type { Dealing } from './dealing.ts'
import { BASE, type Element, isElement, weightedSum } from './group.ts'
import { hashToScalars } from './hash-to-scalars.ts'
import { toScalar } from './scalar.ts'
import { dualWord } from './secret-sharing.ts'

/**
 * What the proof of a dealing shows (DHPVSS of Cascudo, David, Garms and Konring 2022): the logarithm of the
 * dealing's key also takes U to V, the sums of the seats' keys and of the encrypted shares by a random word of the dual
 * code. What is left of the shares without the encryption then sums to zero, as only a right sharing does. Undefined when
 * a share is no element.
 *
 * The word is drawn by a hash of all that it tests. Up to three seats there is no such word: all shares are needed then,
 * so any are a sharing, and the proof shows knowledge of the key alone.
 */
export function dealingClaim(
  { context, seats, quorum }: BeaconRoster,
  { dealer, dealingKey, shares }: Pick<Dealing, 'dealer' | 'dealingKey' | 'shares'>,
): LogarithmClaim | undefined {
  const bound = [context, seatBytes(dealer), dealingKey, ...shares]
  const claim = { domain: 'weft:beacon-dealing:v1', context: bound }
  if (seats.length === quorum) {
    return shares.every(isElement) ? { ...claim, bases: [BASE], values: [dealingKey] } : undefined
  }
  const word = dualWord(seats.length, hashToScalars('weft:beacon-word:v1', bound, seats.length - quorum)).map(toScalar)
  const keys: Element | undefined = weightedSum(
    word,
    seats.map(({ beaconKey }) => beaconKey),
  )
  const encrypted = weightedSum(word, shares)
  if (keys === undefined || encrypted === undefined) return undefined
  return { ...claim, bases: [BASE, keys], values: [dealingKey, encrypted] }
}
