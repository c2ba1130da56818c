/** Part of a node that one circuit counts for at most: its own flow is not to be read from the node's load. */
export const MOST_OF_ONE = 1 / 12

/** Cells that a handshake takes as long as. */
export const CELLS_OF_HANDSHAKE = 100

/** What a node did in a while. */
export interface Traffic {
  /** Cells of each circuit that moved any. */
  readonly cells: readonly number[]
  /** Handshakes answered. */
  readonly handshakes: number
}

/**
 * Utilisation without what any one circuit has above {@link MOST_OF_ONE}: each counts for its part of the cells. As far as
 * utilisation adds up, one circuit more or less changes the outcome by that much at most.
 * @param use 0 to 1, measured
 */
export function cappedUse(use: number, { cells, handshakes }: Traffic): number {
  const shared = handshakes * CELLS_OF_HANDSHAKE
  const total = cells.reduce((sum, each) => sum + each, shared)
  // Nothing was carried: whatever keeps it busy is none of the circuits.
  if (total === 0) return use
  const capped = cells.reduce((sum, each) => sum + Math.min((use * each) / total, MOST_OF_ONE), 0)
  return Math.min(1, (use * shared) / total + capped)
}
