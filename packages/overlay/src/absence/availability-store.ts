/** A part of the history of who was there, as it is kept. */
export interface StoredAvailability {
  /** Its number, counted in parts of six hours since map epoch 0. */
  readonly part: number
  /** ms for which this validator watched. */
  readonly watched: number
  /** For each member 32 bytes of its key, then the ms for which it was there (uint32, big-endian). */
  readonly members: Uint8Array
}

export interface AvailabilityStore {
  availability(): StoredAvailability[]
  /** Takes the place of the same part, and drops parts up to `upTo`. */
  saveAvailability(stored: StoredAvailability, upTo: number): void
}
