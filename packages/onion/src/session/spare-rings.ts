type Column = Uint8Array | Uint32Array | Float64Array

/** Kept of each size, up to which; larger ones are rare, and given back. */
const KEPT = 4
const MOST_KEPT_SIZE = 4_096

/** Rings of several typed arrays that nobody uses at the moment, of all sessions of a process: growing and shrinking leaves no garbage. */
export class SpareRings<R extends { readonly size: number }> {
  readonly #make: (size: number) => R
  readonly #spare = new Map<number, R[]>()

  /** @param make all properties of what it makes but `size` are arrays of that size, a power of two */
  constructor(make: (size: number) => R) {
    this.#make = make
  }

  /** A larger ring with what is live in this one: [base, next). Other places may hold anything. */
  moved(from: R, size: number, base: number, next: number): R {
    const to = this.#spare.get(size)?.pop() ?? this.#make(size)
    for (const key of Object.keys(from) as (keyof R)[]) {
      if (key !== 'size') copy(from[key] as Column, to[key] as Column, base, next)
    }
    return to
  }

  give(ring: R): void {
    if (ring.size > MOST_KEPT_SIZE) return
    const spare = this.#spare.get(ring.size) ?? []
    if (spare.length < KEPT) spare.push(ring)
    this.#spare.set(ring.size, spare)
  }
}

function copy(from: Column, to: Column, base: number, next: number): void {
  for (let i = base; i < next; i++) to[i & (to.length - 1)] = from[i & (from.length - 1)] ?? 0
}
