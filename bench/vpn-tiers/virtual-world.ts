interface Happening {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Events on a clock that jumps from one to the next, ms: a binary heap. */
export class VirtualWorld {
  #now = 0
  #order = 0
  readonly #heap: Happening[] = []

  now(): number {
    return 1_700_000_000_000 + this.#now
  }

  monotonic(): number {
    return this.#now
  }

  at(at: number, run: () => void): void {
    const heap = this.#heap
    const made = { at: Math.max(at, this.#now), order: this.#order++, run }
    let place = heap.push(made) - 1
    for (; place > 0; place = (place - 1) >> 1) {
      const above = heap[(place - 1) >> 1] as Happening
      if (!isBefore(made, above)) break
      heap[place] = above
    }
    heap[place] = made
  }

  /** Runs all that happens until then. */
  runUntil(end: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= end; first = this.#heap[0]) {
      this.#shift()
      this.#now = first.at
      first.run()
    }
    this.#now = end
  }

  #shift(): void {
    const heap = this.#heap
    const last = heap.pop() as Happening
    if (heap.length === 0) return
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      if (left >= heap.length) break
      const right = left + 1
      const least = right < heap.length && isBefore(heap[right] as Happening, heap[left] as Happening) ? right : left
      if (!isBefore(heap[least] as Happening, last)) break
      heap[place] = heap[least] as Happening
      place = least
    }
    heap[place] = last
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
