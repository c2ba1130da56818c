/** Room for the number of a node behind its place: 2^32 places and 2^20 nodes fit a double. */
const NODES = 2 ** 20

/** Where a node stands in a ring: its place, and where two have the same its number. */
export function keyOf(place: number, node: number): number {
  return place * NODES + node
}

/** Nodes in the order of their places, the first behind the last. */
export class Ring {
  readonly #keys: Float64Array

  /** @param keys of `keyOf`, each once */
  constructor(keys: Float64Array) {
    this.#keys = keys.sort()
  }

  get size(): number {
    return this.#keys.length
  }

  /** How many stand before this key. */
  before(key: number): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] as number) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many stand from one key on and before another, going on over the end; all for a key and itself. */
  between(from: number, to: number): number {
    const count = this.before(to) - this.before(from)
    return to > from ? count : count + this.size
  }

  /** The key at an index, which may run over the end or the beginning. */
  at(index: number): number {
    const { length } = this.#keys
    return this.#keys[((index % length) + length) % length] as number
  }

  /** The node at an index, which may run over. */
  node(index: number): number {
    return this.at(index) % NODES
  }
}
