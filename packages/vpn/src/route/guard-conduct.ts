import type { DidKey } from '@weft/crypto'

const HOUR = 60 * 60_000

/** Circuits of a guard after which it is judged: of twenty an honest one with a fifth of hostile relays behind it loses ten or more once in 400 cases. */
const JUDGED_FROM = 20
/** So many of another guard say whether it does better. */
const COMPARED_FROM = 10
/** Of what was counted the older half is forgotten, again and again: what counts is how it does of late. */
const MOST = 2 * JUDGED_FROM
/** Part of a guard's circuits that is too much; and that another loses at most of this, if the fault is to be the guard's. */
const LOST_PART = 1 / 2
const BETTER_PART = 1 / 2
/** A guard that nothing was asked of for so long begins anew. */
const KEPT_MS = 7 * 24 * HOUR

interface Counts {
  readonly held: number
  readonly lost: number
  readonly at: number
}

/**
 * How many circuits held that went on from each guard, as far as is known since this start: one that fails what does not go over its friends
 * has its client choose until both ends are theirs (Borisov et al. 2007; Tor's path specification, "Detecting route manipulation by guard nodes").
 * Circuits whose guard did not answer do not count here. All times monotonic, ms.
 */
export class GuardConduct {
  readonly #counts = new Map<DidKey, Counts>()

  onHeld(id: DidKey, now: number): void {
    this.#count(id, 1, 0, now)
  }

  /** @param held it was counted as held before */
  onLost(id: DidKey, held: boolean, now: number): void {
    this.#count(id, held ? -1 : 0, 1, now)
  }

  /**
   * It loses half of its circuits, and others do not, or are not known to: legs begin at others. Where each of the others does no better, whatever is wrong is wrong behind all of them.
   * @param others the guards that routes are to begin at
   */
  isDoubted(id: DidKey, others: readonly DidKey[], now: number): boolean {
    const own = this.#of(id, now)
    if (own === undefined || own.held + own.lost < JUDGED_FROM || partLost(own) < LOST_PART) return false
    const known = others.filter((other) => other !== id).map((other) => this.#of(other, now))
    const isNoBetter = (other: Counts | undefined): boolean =>
      other !== undefined && other.held + other.lost >= COMPARED_FROM && partLost(other) > BETTER_PART * partLost(own)
    return known.length === 0 || !known.every(isNoBetter)
  }

  #count(id: DidKey, held: number, lost: number, now: number): void {
    const before = this.#of(id, now) ?? { held: 0, lost: 0 }
    const counts = { held: Math.max(0, before.held + held), lost: before.lost + lost }
    const half = counts.held + counts.lost > MOST ? 0.5 : 1
    this.#counts.set(id, { held: half * counts.held, lost: half * counts.lost, at: now })
  }

  #of(id: DidKey, now: number): Counts | undefined {
    const counts = this.#counts.get(id)
    if (counts === undefined || now - counts.at < KEPT_MS) return counts
    this.#counts.delete(id)
    return undefined
  }
}

function partLost({ held, lost }: Counts): number {
  return held + lost === 0 ? 0 : lost / (held + lost)
}
