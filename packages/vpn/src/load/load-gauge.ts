import { FULL, type LoadStep } from '@weft/overlay'

/**
 * Utilisation from which a node is at steps 1 to 4 (docs/specs/load.md, Steps): each is about a sixth above the one before, so that who is a quarter above
 * the others is told from them.
 */
export const STEP_UP = [0.6, 0.7, 0.8, 0.92] as const
/** How far below it has to fall to leave the step: more than one circuit can count for (MOST_OF_ONE of capped-use.ts), so that none moves it to and fro. */
export const STEP_MARGIN = 0.1

/** ms over which utilisation is averaged: short for what grows, since a full node must be known soon; long for what falls. */
export const RISE_MS = 4_000
export const FALL_MS = 20_000

interface Sample {
  readonly at: number
  readonly use: number
}

/** Turns utilisation, 0 to 1, into a step with hysteresis. Times are monotonic ms, and handed in. */
export class LoadGauge {
  #samples: Sample[] = []
  #step: LoadStep = 0

  /** As of the last {@link decide}. */
  get step(): LoadStep {
    return this.#step
  }

  /** A sample of what was used since the one before. */
  add(use: number, now: number): void {
    this.#samples.push({ at: now, use: Number.isFinite(use) ? Math.min(1, Math.max(0, use)) : 0 })
    this.#samples = this.#samples.filter(({ at }) => at > now - FALL_MS)
  }

  /** Settles the step: up at once as far as it goes, down by one at a time. */
  decide(now: number): LoadStep {
    const recent = this.#mean(now - RISE_MS)
    const longer = this.#mean(now - FALL_MS)
    const up = STEP_UP.filter((threshold) => recent >= threshold).length as LoadStep
    if (up > this.#step) this.#step = up
    else if (this.#step > 0 && Math.max(recent, longer) < (STEP_UP[this.#step - 1] as number) - STEP_MARGIN)
      this.#step = Math.min(FULL, this.#step - 1) as LoadStep
    return this.#step
  }

  /** 1 where there is no sample: a thread that does not get round to telling carries nothing more. */
  #mean(after: number): number {
    let sum = 0
    let count = 0
    for (const { at, use } of this.#samples) {
      if (at <= after) continue
      sum += use
      count++
    }
    return count === 0 ? 1 : sum / count
  }
}
