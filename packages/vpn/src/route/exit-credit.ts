import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'

/** How an exit's word of one target fitted what was measured. */
interface Judgement {
  /** By how much its word was too good; 0 where it fits. */
  readonly excessMs: number
  /** Monotonic ms. */
  readonly until: number
}

/** Targets by which an exit is judged, the latest; so many of them late, half of all or more, are a lie. */
const MAX_JUDGED = 16
const LATE_AT_LEAST = 2
/** What one target shows counts as no more, ms: it may be slow through this exit alone, and on purpose. */
const MOST_EXCESS_MS = 250
const KEPT_MS = 24 * 60 * 60_000
/** Exits of which something is kept; the one that was judged longest ago makes room. */
const MAX_EXITS = 256

/**
 * Which exits are believed in what they say of their ways to targets. A target counts once, however many streams lead to it, so that none makes an exit look like a liar
 * by being slow through it alone. No name of a target is kept, and each judgement is forgotten after a day.
 */
export class ExitCredit {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** By exit, then by number of the target; judged last: stands last. */
  readonly #judged = new Map<DidKey, Map<number, Judgement>>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Exits of which something is kept. */
  get size(): number {
    return this.#judged.size
  }

  /** @param target a number of its own; judged again, the later judgement counts */
  judge(exit: DidKey, target: number, excessMs: number): void {
    const judgements = this.#of(exit)
    judgements.delete(target)
    judgements.set(target, { excessMs, until: this.#clock.monotonic() + KEPT_MS })
    deleteFirst(judgements, MAX_JUDGED)
    this.#judged.delete(exit)
    this.#judged.set(exit, judgements)
    deleteFirst(this.#judged, MAX_EXITS)
  }

  /** What it says of its ways does not fit what was measured. */
  isDoubted(exit: DidKey): boolean {
    const judgements = this.#of(exit)
    const late = judgements.values().reduce((sum, { excessMs }) => sum + Number(excessMs > 0), 0)
    return late >= LATE_AT_LEAST && 2 * late >= judgements.size
  }

  /** What is added to its word of other targets, ms: the mean over all by which it was judged, and one by which it was right. */
  penaltyMs(exit: DidKey): number {
    const judgements = this.#of(exit)
    const sum = judgements.values().reduce((all, { excessMs }) => all + Math.min(excessMs, MOST_EXCESS_MS), 0)
    return sum / (judgements.size + 1)
  }

  /** Those that count still. */
  #of(exit: DidKey): Map<number, Judgement> {
    const judgements = this.#judged.get(exit)
    if (judgements === undefined) return new Map()
    const now = this.#clock.monotonic()
    for (const [target, { until }] of judgements) if (until <= now) judgements.delete(target)
    if (judgements.size === 0) this.#judged.delete(exit)
    return judgements
  }
}

/** The first one, where there are more than `most`. */
function deleteFirst<K>(map: Map<K, unknown>, most: number): void {
  const [first] = map.keys()
  if (map.size > most && first !== undefined) map.delete(first)
}
