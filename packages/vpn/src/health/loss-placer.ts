import type { PlaceLosses } from './count-rounds.ts'
import type { PlacedLoss } from './leg-evidence.ts'
import { isPlaced, isQuiet, isSuspect, lossAt } from './place-losses.ts'

/** ms for which a place must be quiet before its loss is over. */
const OVER_AFTER_MS = 5_000

interface Standing {
  readonly loss: PlacedLoss
  readonly quietSince: number | undefined
}

/** Keeps where cells are lost, from when that is found until it is over. Times are monotonic ms. */
export class LossPlacer {
  /** A place may lose cells: more figures are wanted soon. */
  isSuspect = false
  readonly #places: readonly PlaceLosses[]
  readonly #standing = new Map<PlaceLosses, Standing>()

  constructor(places: readonly PlaceLosses[]) {
    this.#places = places
  }

  get losses(): readonly PlacedLoss[] {
    return [...this.#standing.values()].map(({ loss }) => loss)
  }

  /** To be called when there are new figures. */
  update(nowMs: number): void {
    this.isSuspect = false
    for (const place of this.#places) this.#look(place, nowMs)
  }

  #look(place: PlaceLosses, nowMs: number): void {
    const before = this.#standing.get(place)
    if (before !== undefined && isQuiet(place)) {
      const quietSince = before.quietSince ?? nowMs
      if (nowMs - quietSince < OVER_AFTER_MS) this.#standing.set(place, { ...before, quietSince })
      else {
        this.#standing.delete(place)
        place.series.restart()
      }
      return
    }
    const found = lossAt(place, this.#places)
    const sinceMs = before?.loss.sinceMs ?? nowMs
    if (isPlaced(found)) this.#standing.set(place, { loss: { ...found, sinceMs }, quietSince: undefined })
    else if (before !== undefined) this.#standing.set(place, { ...before, quietSince: undefined })
    else if (isSuspect(found)) this.isSuspect = true
  }
}
