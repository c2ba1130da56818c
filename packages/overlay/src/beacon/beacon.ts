import type { BeaconLink } from './beacon-inputs.ts'

/** The value of a beacon as maps carry it. */
export interface Beacon extends BeaconLink {
  /** Epoch of the beacon that it hangs on: none between the two has a value. -1 for the first. */
  readonly previous: number
}
