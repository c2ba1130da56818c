import type { Clock } from '@weft/core'

/** What a slow holder gets beyond the median of its segment: twice that at least, between these bounds, ms. */
const MIN_FACTOR = 2
const MIN_EXTRA_MS = 2_000
const MAX_EXTRA_MS = 30_000

interface Waiting {
  readonly started: number
  readonly onSlow: () => void
  cancel: () => void
}

interface Segment {
  /** ms that the shards took which are on disk. */
  readonly took: number[]
  readonly waiting: Set<Waiting>
  /** ms that a shard may take; known once half of them are on disk. */
  patience: number | undefined
}

/**
 * Which holders of a put are slow. A shard is late when it takes longer than the median of its segment and as much again
 * as it would take to make the shards of the segments before it anew, which is what its holder's replacement costs: about
 * a median each. So slowness is measured by the other holders of the same moment, never by a slow line of this node.
 */
export class PutPace {
  readonly #clock: Clock
  readonly #n: number
  readonly #segments = new Map<number, Segment>()
  /** Of the segment before; for shards that are sent alone. */
  #last: number | undefined

  constructor(clock: Clock, n: number) {
    this.#clock = clock
    this.#n = n
  }

  /**
   * Watches a shard that is sent now. `onSlow` is called when it is late, and again each time that it takes as long once more.
   * @param segment undefined for one that is made again, without others beside it.
   * @returns to be called at its end; with true when it is on disk
   */
  watch(segment: number | undefined, onSlow: () => void): (isStored: boolean) => void {
    const waiting: Waiting = { started: this.#clock.monotonic(), onSlow, cancel: () => {} }
    if (segment === undefined) {
      this.#arm(waiting, this.#last)
      return () => waiting.cancel()
    }
    const state = this.#segments.get(segment) ?? { took: [], waiting: new Set(), patience: undefined }
    this.#segments.set(segment, state)
    state.waiting.add(waiting)
    this.#arm(waiting, state.patience)
    return (isStored) => {
      waiting.cancel()
      state.waiting.delete(waiting)
      if (isStored) this.#stored(segment, state, this.#clock.monotonic() - waiting.started)
    }
  }

  #stored(segment: number, state: Segment, ms: number): void {
    state.took.push(ms)
    if (state.took.length === this.#n) this.#segments.delete(segment)
    if (state.patience !== undefined || state.took.length < Math.ceil(this.#n / 2)) return
    // The slowest of the faster half.
    const median = Math.max(...state.took)
    const extra = Math.max(MIN_FACTOR, segment) * median
    state.patience = median + Math.min(MAX_EXTRA_MS, Math.max(MIN_EXTRA_MS, extra))
    this.#last = state.patience
    for (const waiting of state.waiting) this.#arm(waiting, state.patience)
  }

  #arm(waiting: Waiting, patience: number | undefined): void {
    if (patience === undefined) return
    const again = (left: number): void => {
      waiting.cancel = this.#clock.after(left, () => {
        again(patience)
        waiting.onSlow()
      })
    }
    again(patience - (this.#clock.monotonic() - waiting.started))
  }
}
