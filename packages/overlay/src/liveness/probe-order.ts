import { type Random, randomInt, shuffled } from '@weft/core'
import type { DidKey } from '@weft/crypto'

/**
 * Whom to probe next: everybody once in random order, then in a new order, so that nobody is forgotten for longer than
 * two rounds (SWIM, section 4.3). Newcomers take a random place in what is left of the round.
 */
export class ProbeOrder {
  readonly #random: Random
  readonly #ids = new Set<DidKey>()
  #left: DidKey[] = []

  constructor(random: Random) {
    this.#random = random
  }

  set(ids: ReadonlySet<DidKey>): void {
    this.#left = this.#left.filter((id) => ids.has(id))
    for (const id of this.#ids) if (!ids.has(id)) this.#ids.delete(id)
    for (const id of ids) {
      if (this.#ids.has(id)) continue
      this.#ids.add(id)
      this.#left.splice(randomInt(this.#random, this.#left.length + 1), 0, id)
    }
  }

  /** The next one that may be probed now; undefined when nobody may. */
  next(mayBe: (id: DidKey) => boolean): DidKey | undefined {
    for (let tried = 0; tried < 2; tried++) {
      for (let id = this.#left.pop(); id !== undefined; id = this.#left.pop()) if (mayBe(id)) return id
      this.#left = shuffled(this.#random, [...this.#ids])
    }
    return undefined
  }
}
