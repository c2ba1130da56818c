/** Something with a time, which moves with every packet. */
export interface HasDue {
  /** Monotonic ms; Infinity for never. */
  readonly dueAt: number
  onDue(now: number): void
}

interface Entry {
  readonly item: HasDue
  /** Not later than the item's own time: one that moved on is looked at too early, and left for later. */
  at: number
  place: number
}

/** Whose time comes first: a binary heap that is touched only when a time moves forward, or came. Nothing is allocated for a packet. */
export class DueHeap {
  readonly #heap: Entry[] = []
  readonly #entries = new Map<HasDue, Entry>()
  readonly #onSooner: () => void

  /** @param onSooner {@link next} became earlier */
  constructor(onSooner: () => void) {
    this.#onSooner = onSooner
  }

  /** When {@link run} is wanted, monotonic ms; undefined for never. */
  next(): number | undefined {
    return this.#heap[0]?.at
  }

  /** Adds an item. */
  add(item: HasDue): void {
    const entry: Entry = { item, at: Infinity, place: this.#heap.length }
    this.#heap.push(entry)
    this.#entries.set(item, entry)
    this.moved(item)
  }

  /** The time of an item moved. One that it does not have is passed over. */
  moved(item: HasDue): void {
    const entry = this.#entries.get(item)
    if (entry === undefined || item.dueAt >= entry.at) return
    const before = this.#heap[0]?.at ?? Infinity
    entry.at = item.dueAt
    this.#up(entry)
    if (entry.at < before) this.#onSooner()
  }

  remove(item: HasDue): void {
    const entry = this.#entries.get(item)
    const last = this.#heap.pop()
    if (entry === undefined || last === undefined) {
      if (last !== undefined) this.#heap.push(last)
      return
    }
    this.#entries.delete(item)
    if (last === entry) return
    this.#put(last, entry.place)
    this.#up(last)
    this.#down(last)
  }

  /** Calls all whose time came. */
  run(now: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      const { item } = first
      if (item.dueAt <= now) item.onDue(now)
      // It may have been removed by its own doing.
      if (this.#entries.get(item) !== first) continue
      // One that is due at once again has its turn in the next call: no item can hold the others up.
      first.at = Math.max(item.dueAt, now + Number.EPSILON * Math.max(1, now))
      this.#down(first)
    }
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry
    entry.place = place
  }

  #up(entry: Entry): void {
    while (entry.place > 0) {
      const above = this.#heap[(entry.place - 1) >> 1] as Entry
      if (above.at <= entry.at) return
      this.#swap(above, entry)
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1]
      const right = this.#heap[2 * entry.place + 2]
      const least = right !== undefined && left !== undefined && right.at < left.at ? right : left
      if (least === undefined || least.at >= entry.at) return
      this.#swap(entry, least)
    }
  }

  #swap(above: Entry, below: Entry): void {
    const { place } = above
    this.#put(above, below.place)
    this.#put(below, place)
  }
}
