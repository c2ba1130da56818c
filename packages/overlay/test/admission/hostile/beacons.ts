import { systemRandom } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { OwnBeaconKey } from '../../../src/beacon/own-beacon-key.ts'
import type { BeaconKeyEntry } from '../../../src/beacon/beacon-key.ts'
import { beaconPosition } from '../../../src/beacon/beacon-position.ts'
import type { Beacon } from '../../../src/beacon/beacon.ts'
import { fixture, applicant, stranger } from '../apply.ts'

export const beacon: Beacon = { epoch: 2, value: new Uint8Array(32).fill(7), previous: -1 }
export const right = { epoch: 2, value: beaconPosition(applicant.publicKey, beacon.value) }
export const other = { epoch: 2, value: beaconPosition(stranger.publicKey, beacon.value) }

export function beaconKeyOf(key: SigningKey): BeaconKeyEntry {
  return new OwnBeaconKey(fixture.network.id, key, systemRandom).entry
}
