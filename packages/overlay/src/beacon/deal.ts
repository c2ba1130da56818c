import type { Random } from '@weft/core'
import { type SigningKey, wipe } from '@weft/crypto'
import type { BeaconRoster } from './beacon-roster.ts'
import { proveLogarithm } from './common-logarithm.ts'
import { dealingClaim } from './dealing-claim.ts'
import { type SignedDealing, encodeDealing } from './dealing.ts'
import { BASE, type Element, add, multiply } from './group.ts'
import { randomScalar } from './scalar.ts'
import { drawShares } from './secret-sharing.ts'

/**
 * Shares a fresh random secret among all seats and signs the dealing. Nothing of the secret is kept, by whoever deals
 * neither: the shares are all there is of it.
 * @param dealer the own seat
 * @param nodeKey the node key of that seat
 * @param random `systemRandom`, but in simulations
 */
export function deal(roster: BeaconRoster, dealer: number, nodeKey: SigningKey, random: Random): SignedDealing {
  const secret = randomScalar(random)
  const values = drawShares(roster.quorum, roster.seats.length, random)
  try {
    const dealingKey = product(secret, BASE)
    const shares = roster.seats.map(({ beaconKey }, seat) =>
      add(product(values[seat] as Uint8Array, BASE), product(secret, beaconKey)),
    )
    const claim = dealingClaim(roster, { dealer, dealingKey, shares })
    if (claim === undefined) throw new RangeError('deal: a share is the neutral element')
    const proof = proveLogarithm(claim, secret, random)
    const body = encodeDealing({ context: roster.context, dealer, dealingKey, shares, ...proof })
    return { body, signature: nodeKey.sign('beacon-dealing', body) }
  } finally {
    wipe(secret, ...values)
  }
}

/** Scalars drawn at random are not zero, and keys of a roster are verified. */
function product(scalar: Uint8Array, element: Element): Element {
  const result = multiply(scalar, element)
  if (result === undefined) throw new RangeError('deal: a key of the roster is no element')
  return result
}
