import { type Random, equalBytes } from '@weft/core'
import type { BeaconKeyPair } from './beacon-key.ts'
import { seatBytes } from './beacon-roster.ts'
import { type BeaconShare, refuseShare } from './beacon-share.ts'
import type { BeaconTally } from './beacon-tally.ts'
import { type LogarithmClaim, proveLogarithm, verifyLogarithm } from './common-logarithm.ts'
import { BASE, type Element, multiply, subtract } from './group.ts'

/**
 * Opens the own share of the agreed set, with the proof of it. It must be done for the agreed set of an epoch and no
 * other: whoever opens something else helps to learn a value before it is fixed.
 * @param random `systemRandom`, but in simulations
 */
export function openShare(tally: BeaconTally, seat: number, key: BeaconKeyPair, random: Random): BeaconShare {
  const opening = multiply(key.secretKey, tally.tallyKey)
  if (opening === undefined) throw refuseShare('the sum of the dealings is the neutral element')
  const proof = proveLogarithm(shareClaim(tally, seat, opening), key.secretKey, random)
  return { inputs: tally.inputs.name, seat, opening, ...proof }
}

/**
 * The value of the shared polynomial at a seat, as an element, when the opening is right.
 * @throws WeftError E_BEACON_SHARE
 */
export function verifyShare(tally: BeaconTally, share: BeaconShare): Element {
  if (!equalBytes(share.inputs, tally.inputs.name)) throw refuseShare('it is for other inputs than those agreed on')
  if (share.seat >= tally.roster.seats.length) throw refuseShare(`there is no seat ${share.seat}`)
  if (!verifyLogarithm(shareClaim(tally, share.seat, share.opening), share)) {
    throw refuseShare(`the proof of seat ${share.seat} does not hold`)
  }
  return subtract(tally.share(share.seat), share.opening)
}

/** That the logarithm of the seat's key also takes the tally's key to the opening (DHPVSS). */
function shareClaim(tally: BeaconTally, seat: number, opening: Element): LogarithmClaim {
  return {
    domain: 'weft:beacon-share:v1',
    context: [tally.inputs.name, seatBytes(seat)],
    bases: [BASE, tally.tallyKey],
    values: [tally.roster.seats[seat]?.beaconKey as Element, opening],
  }
}
