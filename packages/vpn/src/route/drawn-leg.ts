import type { ChosenHop } from './chosen-hop.ts'
import type { PositionRecord } from './position-record.ts'

/** A leg as it was drawn. */
export interface DrawnLeg {
  /** From the entry to the exit. */
  readonly hops: readonly ChosenHop[]
  /** How each hop came to its place. To be asked for before the next leg is drawn. */
  explain(): readonly PositionRecord[]
}
