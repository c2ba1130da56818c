import type { PathSet } from './path-set.ts'

/** A path set is better when its way takes this part of the time, and so many ms less; for so many looks in a row. */
const BETTER_PART = 0.6
const BETTER_MS = 20
const BETTER_LOOKS = 4

/** Notices a path set that has been much nearer than that in use for a while; to be asked every 15 s. */
export class NearerWatch {
  #looks = 0

  /** @param others that new streams could take now */
  look(used: PathSet, others: readonly PathSet[]): PathSet | undefined {
    const usedMs = used.latencyMs
    if (usedMs === undefined) return undefined
    const isBetter = ({ latencyMs }: PathSet): boolean =>
      latencyMs !== undefined && latencyMs < BETTER_PART * usedMs && usedMs - latencyMs >= BETTER_MS
    const better = others.find(isBetter)
    this.#looks = better === undefined ? 0 : this.#looks + 1
    if (this.#looks < BETTER_LOOKS) return undefined
    this.#looks = 0
    return better
  }
}
