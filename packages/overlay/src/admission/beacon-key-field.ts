import type { BeaconKeyEntry } from '../beacon/beacon-key.ts'
import { type Refusal, bytesOf, tupleOf } from '../codec/strict-values.ts'

export type { BeaconKeyEntry }

/** The field `beaconKey` of a certificate body as it is encoded: null, or key and proof of possession. */
export function beaconKeyField(entry: BeaconKeyEntry | undefined): unknown {
  return entry === undefined ? null : [entry.publicKey, entry.proof]
}

/** Lengths only: whether key and proof hold is `verifyBeaconKey`'s to say. @throws refusal */
export function beaconKeyOf(value: unknown, refuse: Refusal): BeaconKeyEntry | undefined {
  if (value === null) return undefined
  const [publicKey, proof] = tupleOf(value, 'beaconKey', 2, refuse)
  return {
    publicKey: bytesOf(publicKey, 'beaconKey.publicKey', 32, refuse),
    proof: bytesOf(proof, 'beaconKey.proof', 64, refuse),
  }
}
