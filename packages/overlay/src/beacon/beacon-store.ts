import type { Beacon } from './beacon.ts'

/** What a node keeps of beacons. A write that has returned outlives a crash. */
export interface BeaconStore {
  /** Those that signed maps carried, the newest `KEPT_BEACONS`, ascending. */
  beacons(): readonly Beacon[]
  saveBeacon(beacon: Beacon): void
  /** The newest that this validator computed itself; no map may have carried it. */
  computedBeacon(): Beacon | undefined
  saveComputedBeacon(beacon: Beacon): void
}

/** Beacons of maps that are remembered: those of 17 hours where an epoch is a minute. */
export const KEPT_BEACONS = 1_024
