import type { HopRole } from '../vpn.ts'
import type { DrawWeights, Drawn } from './weighted-draw.ts'

/** What a position was drawn under: enough to say later why each other member did not come into question. */
export interface PositionTerms {
  readonly role: HopRole
  /** Who came into question by role, wish and guards. */
  readonly pool: Int32Array
  /** Places of those with whom it has nothing in common, and of those who are only not taken twice. */
  readonly unlike: readonly number[]
  readonly notAgain: readonly number[]
  /** Flags (route-flags.ts) that kept members out. */
  readonly out: number
  /** What members weigh in the draw, all alike where it gives undefined; left out where the first of the pool that fits is taken. */
  readonly weights?: () => DrawWeights | undefined
}

export interface Position extends PositionTerms {
  readonly drawn: Drawn
}

/** A position that nobody can take. */
export interface Gap {
  readonly nobody: PositionTerms
}
