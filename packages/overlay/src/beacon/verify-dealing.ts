import { equalBytes } from '@weft/core'
import { verifySignature } from '@weft/crypto'
import type { BeaconRoster } from './beacon-roster.ts'
import { verifyLogarithm } from './common-logarithm.ts'
import { dealingClaim } from './dealing-claim.ts'
import { type Dealing, type SignedDealing, decodeDealing, refuseDealing } from './dealing.ts'

/**
 * What is cheap to know of a dealing: its form, that it is for this beacon, and that its dealer signed it.
 * @throws WeftError E_BEACON_DEALING
 */
export function openDealing(roster: BeaconRoster, { body, signature }: SignedDealing): Dealing {
  const dealing = decodeDealing(body)
  const seat = roster.seats[dealing.dealer]
  if (!equalBytes(dealing.context, roster.context)) throw refuseDealing('it is for another network, epoch or roster')
  if (seat === undefined) throw refuseDealing(`there is no seat ${dealing.dealer}`)
  if (dealing.shares.length !== roster.seats.length) {
    throw refuseDealing(`it has ${dealing.shares.length} shares for ${roster.seats.length} seats`)
  }
  if (!verifySignature('beacon-dealing', body, signature, seat.key)) {
    throw refuseDealing(`it is not signed by the validator of seat ${dealing.dealer}`)
  }
  return dealing
}

/**
 * Whether each seat's share is one of the same sharing, encrypted to that seat: about two products in the group for each
 * seat. Everybody comes to the same result. @throws WeftError E_BEACON_DEALING
 */
export function verifySharing(roster: BeaconRoster, dealing: Dealing): void {
  const claim = dealingClaim(roster, dealing)
  if (claim === undefined) throw refuseDealing('a share is no element of the group')
  if (!verifyLogarithm(claim, dealing)) throw refuseDealing('its proof does not hold')
}

/** Both checks. @throws WeftError E_BEACON_DEALING */
export function verifyDealing(roster: BeaconRoster, signed: SignedDealing): Dealing {
  const dealing = openDealing(roster, signed)
  verifySharing(roster, dealing)
  return dealing
}
