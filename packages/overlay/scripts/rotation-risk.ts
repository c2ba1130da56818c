/** What a term of so many seats risks, of which a part is drawn anew in each rotation. */
export interface RotationRisk {
  /** Probability that in one of the rotations hostile ones have so many seats that the others are no quorum. */
  readonly blocked: number
  /** Probability that in one of them hostile ones have a quorum, while they never refuse a rotation. */
  readonly forged: number
  /** The same, when they refuse each rotation that would cost them seats as soon as they have enough to refuse. */
  readonly forgedByRefusal: number
}

export interface RotationRiskInit {
  /** Who asks for a seat, those who have one included. */
  readonly population: number
  readonly hostile: number
  readonly seats: number
  readonly quorum: number
  /** Seats that are drawn anew each time. */
  readonly rotated: number
  readonly rotations: number
}

/**
 * The chain of terms, computed exactly but for rounding: the state is how many seats are hostile. It begins with a draw of
 * all seats at once, which is also what it comes to by itself: exchanging drawn seats for drawn candidates leaves every
 * set of seats as likely as before.
 */
export function rotationRisk({
  population,
  hostile,
  seats,
  quorum,
  rotated,
  rotations,
}: RotationRiskInit): RotationRisk {
  const states = Array.from({ length: seats + 1 }, (_, state) => state)
  const begin = states.map((count) => chance(population, hostile, seats, count))
  const moves = states.map((count) => {
    const to = states.map(() => 0)
    for (let left = 0; left <= rotated; left++) {
      for (let entered = 0; entered <= rotated; entered++) {
        const next = count - left + entered
        const likely =
          chance(seats, count, rotated, left) * chance(population - seats, hostile - count, rotated, entered)
        if (likely > 0 && next >= 0 && next <= seats) to[next] = (to[next] as number) + likely
      }
    }
    return to
  })
  const able = seats - quorum + 1
  const refusing = moves.map((to, count) => {
    if (count < able) return to
    const refused = to.slice(0, count).reduce((sum, likely) => sum + likely, 0)
    return to.map((likely, next) => (next < count ? 0 : next === count ? likely + refused : likely))
  })
  const reached = (least: number, by: readonly (readonly number[])[]): number => reaching(begin, by, least, rotations)
  return { blocked: reached(able, moves), forged: reached(quorum, moves), forgedByRefusal: reached(quorum, refusing) }
}

/** Probability that the chain is in a state of at least `least` at its begin or after one of so many moves. */
function reaching(
  begin: readonly number[],
  moves: readonly (readonly number[])[],
  least: number,
  count: number,
): number {
  let now = begin
  let reached = 0
  for (let move = 0; move <= count; move++) {
    const before =
      move === 0
        ? begin
        : begin.map((_, to) => now.reduce((sum, likely, from) => sum + likely * (moves[from]?.[to] ?? 0), 0))
    reached += before.slice(least).reduce((sum, likely) => sum + likely, 0)
    now = before.map((likely, state) => (state < least ? likely : 0))
  }
  return Math.min(1, reached)
}

/** Probability of `count` marked ones among `drawn` of `population`, of whom `marked` are. */
function chance(population: number, marked: number, drawn: number, count: number): number {
  if (count > marked || drawn - count > population - marked || count > drawn || marked < 0) return 0
  return Math.exp(ways(marked, count) + ways(population - marked, drawn - count) - ways(population, drawn))
}

const FACTORIALS: number[] = [0]

/** Natural logarithm of the ways to take k of n. */
function ways(n: number, k: number): number {
  for (let factor = FACTORIALS.length; factor <= n; factor++)
    FACTORIALS.push((FACTORIALS[factor - 1] as number) + Math.log(factor))
  return (FACTORIALS[n] as number) - (FACTORIALS[k] as number) - (FACTORIALS[n - k] as number)
}
