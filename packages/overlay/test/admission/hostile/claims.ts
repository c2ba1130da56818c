import type { Measured } from '../../../src/admission/measured-field.ts'
import { networkOf } from '../../../src/network/network.ts'
import { fixture } from '../apply.ts'

/** The network of the fixture, which asks something for storage. */
export const asking = networkOf({ ...fixture.network.file, minimums: { storage: { bandwidthMbps: 20 } } })

export function claim(figures: Partial<Measured>): Measured {
  const none = { bandwidthMbps: undefined, lossPpm: undefined, storageBytes: undefined, availabilityPpm: undefined }
  return { ...none, ...figures }
}
