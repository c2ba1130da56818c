import { type Random, seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type BeaconInputs, decodeInputs, encodeInputs } from '../../src/beacon/beacon-inputs.ts'
import { type BeaconKeyPair, deriveBeaconKey } from '../../src/beacon/beacon-key.ts'
import { type BeaconRoster, beaconRoster } from '../../src/beacon/beacon-roster.ts'
import { type BeaconTally, tallyOf } from '../../src/beacon/beacon-tally.ts'
import { genesisBeacon } from '../../src/beacon/beacon-value.ts'
import { deal } from '../../src/beacon/deal.ts'
import { dealingName, decodeDealing, type SignedDealing } from '../../src/beacon/dealing.ts'

/** Of the form that ids of networks have. */
export const NETWORK = `w${'a'.repeat(32)}`

export interface Validators {
  readonly roster: BeaconRoster
  readonly nodes: readonly SigningKey[]
  readonly keys: readonly BeaconKeyPair[]
  readonly random: Random
}

/** `count` validators and the roster of all of them. */
export function validators(count: number, seed = 1, epoch = 7): Validators {
  const random = seededRandom(seed)
  const nodes = Array.from({ length: count }, () => new SigningKey(random.bytes(32)))
  const keys = nodes.map(deriveBeaconKey)
  const seats = nodes.map(({ publicKey }, seat) => ({
    key: publicKey,
    beaconKey: (keys[seat] as BeaconKeyPair).publicKey,
  }))
  return { roster: beaconRoster(NETWORK, epoch, seats), nodes, keys, random }
}

export function dealingOf({ roster, nodes, random }: Validators, dealer: number): SignedDealing {
  return deal(roster, dealer, nodes[dealer] as SigningKey, random)
}

/** A tally of right dealings of the first seats that make a quorum. */
export function agreedTally(test: Validators): BeaconTally {
  const dealings = Array.from({ length: test.roster.quorum }, (_, dealer) => dealingOf(test, dealer))
  return tallyOf(
    test.roster,
    inputsOf(test.roster, dealings),
    dealings.map(({ body }) => decodeDealing(body)),
  )
}

export function inputsOf(roster: BeaconRoster, dealings: readonly SignedDealing[]): BeaconInputs {
  return decodeInputs(roster, encodedInputs(roster, dealings))
}

export function encodedInputs(roster: BeaconRoster, dealings: readonly SignedDealing[]): Uint8Array {
  const inputs = dealings.map(({ body }) => ({ dealer: decodeDealing(body).dealer, dealing: dealingName(body) }))
  return encodeInputs(
    roster,
    genesisBeacon(NETWORK),
    inputs.toSorted((a, b) => a.dealer - b.dealer),
  )
}

/**
 * What is no element of the group: of low order, with a part of low order, not on the curve, and elements in other than
 * their one encoding. The points of low order are those of RFC 7748's curve in Edwards form.
 */
export const NO_ELEMENTS: Readonly<Record<string, string>> = {
  'the neutral element': '01'.padEnd(64, '0'),
  'of order two': `ec${'ff'.repeat(30)}7f`,
  'of order four': '00'.repeat(32),
  'of order eight': '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'the neutral element, written as p + 1': `ee${'ff'.repeat(30)}7f`,
  'the neutral element with the sign of zero set': `01${'00'.repeat(30)}80`,
  'above p': `${'ff'.repeat(31)}7f`,
  'not on the curve': '02'.padEnd(64, '0'),
  'the base point with a part of order two': '95'.padEnd(62, '9') + '99',
}
