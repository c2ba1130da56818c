/** Bounds of a figure: from which value on it is yellow, and red. */
export interface LevelBounds {
  readonly yellow: number
  readonly red: number
}

export type Colour = 'green' | 'yellow' | 'red'

/** ms for which a figure must be as bad for its level to rise, and as good for it to fall. */
const RISES_MS = 400
const FALLS_MS = 5_000
/** Part of a bound under which a value must be for its level to fall. */
const FALLS_BELOW = 0.7

const COLOURS = ['green', 'yellow', 'red'] as const

/** The level of one figure, with hysteresis: a value that wavers about a bound does not move it. Times are monotonic ms. */
export class Level {
  readonly bounds: LevelBounds
  /** When the figure began to be as bad as it is now. */
  sinceMs = 0
  /** The bound that it crossed; undefined while it is green. */
  bound: number | undefined
  #level = 0
  #risingSince: number | undefined
  #fallingSince: number | undefined

  constructor(bounds: LevelBounds) {
    this.bounds = bounds
  }

  get colour(): Colour {
    return COLOURS[this.#level] as Colour
  }

  /** @param value undefined when it is not known now: the level stays then */
  update(value: number | undefined, nowMs: number): Colour {
    if (value === undefined) return this.colour
    const { yellow, red } = this.bounds
    const up = value >= red ? 2 : value >= yellow ? 1 : 0
    const down = value >= FALLS_BELOW * red ? 2 : value >= FALLS_BELOW * yellow ? 1 : 0
    this.#risingSince = up > this.#level ? (this.#risingSince ?? nowMs) : undefined
    this.#fallingSince = down < this.#level ? (this.#fallingSince ?? nowMs) : undefined
    if (this.#risingSince !== undefined && nowMs - this.#risingSince >= RISES_MS) this.#move(up, this.#risingSince)
    else if (this.#fallingSince !== undefined && nowMs - this.#fallingSince >= FALLS_MS)
      this.#move(down, this.#fallingSince)
    return this.colour
  }

  #move(level: number, sinceMs: number): void {
    this.#level = level
    this.sinceMs = sinceMs
    this.bound = [undefined, this.bounds.yellow, this.bounds.red][level]
    this.#risingSince = undefined
    this.#fallingSince = undefined
  }
}
