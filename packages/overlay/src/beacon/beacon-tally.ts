import type { BeaconInputs } from './beacon-inputs.ts'
import type { BeaconRoster } from './beacon-roster.ts'
import type { Dealing } from './dealing.ts'
import { type Element, IDENTITY, add } from './group.ts'

/** All dealings of the agreed set as one: the sum of sharings is a sharing of the sum of their secrets. */
export interface BeaconTally {
  readonly roster: BeaconRoster
  readonly inputs: BeaconInputs
  /** The sum of the dealings' keys. */
  readonly tallyKey: Element
  /** The sum of the shares of a seat, encrypted to it under `tallyKey`. */
  share(seat: number): Element
}

/** @param dealings those of the inputs, each verified */
export function tallyOf(roster: BeaconRoster, inputs: BeaconInputs, dealings: readonly Dealing[]): BeaconTally {
  const shares = new Map<number, Element>()
  return {
    roster,
    inputs,
    tallyKey: dealings.reduce((sum, { dealingKey }) => add(sum, dealingKey), IDENTITY),
    share(seat) {
      let share = shares.get(seat)
      if (share === undefined) {
        share = dealings.reduce((sum, dealing) => add(sum, dealing.shares[seat] as Element), IDENTITY)
        shares.set(seat, share)
      }
      return share
    },
  }
}
