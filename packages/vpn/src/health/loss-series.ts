/** Cells that went into a part of the way, and those of them that did not come out; since the beginning, or of a window. */
export interface Passage {
  readonly sent: number
  readonly lost: number
}

interface Point extends Passage {
  readonly atMs: number
}

const MAX_POINTS = 64
/** Totals that must be there, and times their greatest shrinking that a difference of two may be off. */
const ENOUGH_POINTS = 4
const DOUBT = 2.5
/** ms in which what is remembered of the past falls to 1/e. */
const MEMORY_MS = 5_000

/** How many cells one part of the way loses in one direction, from running totals. Times are monotonic ms. */
export class LossSeries {
  readonly #points: Point[] = []
  #sent = 0
  #lost = 0

  /** Totals that are told late, after newer ones, are the caller's to leave out. */
  add(atMs: number, { sent, lost }: Passage): void {
    const last = this.#points.at(-1)
    if (last !== undefined) {
      const fade = Math.exp(-Math.max(0, atMs - last.atMs) / MEMORY_MS)
      this.#sent = this.#sent * fade + Math.max(0, sent - last.sent)
      // Signed: what seemed lost, and had only been overtaken, is taken off again.
      this.#lost = this.#lost * fade + lost - last.lost
    }
    if (this.#points.length === MAX_POINTS) this.#points.shift()
    this.#points.push({ atMs, sent, lost })
  }

  /** Forgets what was before the newest totals. */
  restart(): void {
    this.#points.splice(0, this.#points.length - 1)
  }

  /** What happened in the last so many ms before the newest totals, as far as they go back. */
  over(windowMs: number): Passage {
    const last = this.#points.at(-1)
    const first = last && this.#points.find(({ atMs }) => last.atMs - atMs <= windowMs)
    return last === undefined || first === undefined ? { sent: 0, lost: 0 } : between(first, last)
  }

  /**
   * The same, without what cells that overtake each other can pretend: no total of lost cells shrinks but by that, so that the most that this one
   * shrank shows how far totals are off. Too few totals show nothing of it, and nothing is lost for them.
   */
  surelyOver(windowMs: number): Passage {
    const { sent, lost } = this.over(windowMs)
    const isKnown = this.#points.length >= ENOUGH_POINTS
    return { sent, lost: isKnown ? Math.max(0, lost - Math.ceil(DOUBT * this.#mostShrunk())) : 0 }
  }

  #mostShrunk(): number {
    let most = 0
    for (const [at, { lost }] of this.#points.entries())
      most = Math.max(most, (this.#points[at - 1]?.lost ?? lost) - lost)
    return most
  }

  /** Of late, each second counting for less than the one after it (EWMA). */
  get recent(): Passage {
    return { sent: this.#sent, lost: Math.min(this.#sent, Math.max(0, this.#lost)) }
  }
}

/** Cells that overtook others can make a total smaller for a while; no more can be lost than was sent. */
function between(one: Passage, two: Passage): Passage {
  const sent = Math.max(0, two.sent - one.sent)
  return { sent, lost: Math.min(sent, Math.max(0, two.lost - one.lost)) }
}
