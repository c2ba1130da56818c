import { equalBytes, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { BeaconLink } from './beacon-inputs.ts'
import type { BeaconTally } from './beacon-tally.ts'
import { type Element, IDENTITY, add, multiply } from './group.ts'
import { toScalar } from './scalar.ts'
import { weightsAtZero } from './secret-sharing.ts'

const VALUE = utf8('weft:beacon:v1\0')
const GENESIS = utf8('weft:beacon-genesis:v1\0')

/** The value before the first beacon of a network. It is known to all in advance. */
export function genesisBeacon(network: string): BeaconLink {
  return { epoch: -1, value: sha256(GENESIS, utf8(network)) }
}

/**
 * The value of a beacon, 32 bytes: a hash of the agreed inputs, which name the value before it, and of the sum of their
 * secrets. Any quorum of verified shares gives the same.
 * @param opened by seat: what `verifyShare` returned; at least a quorum
 */
export function beaconValue({ roster, inputs }: BeaconTally, opened: ReadonlyMap<number, Element>): Uint8Array {
  if (opened.size < roster.quorum) {
    throw new RangeError(`beacon: ${opened.size} shares, and ${roster.quorum} are needed`)
  }
  const seats = [...opened.keys()].slice(0, roster.quorum)
  const weights = weightsAtZero(seats.map((seat) => seat + 1))
  const secret = seats.reduce((sum, seat, at) => {
    const share = opened.get(seat) as Element
    // A share of zero adds nothing, and libsodium multiplies no neutral element.
    if (equalBytes(share, IDENTITY)) return sum
    return add(sum, multiply(toScalar(weights[at] as bigint), share) as Element)
  }, IDENTITY)
  return sha256(VALUE, inputs.name, secret)
}
