interface Event {
  readonly at: number
  readonly sequence: number
  readonly run: () => void
}

/** Events in order of time, and of their making where that is the same: a binary heap, for simulations of many hours. */
export class EventHeap {
  readonly #heap: Event[] = []
  #sequence = 0

  push(at: number, run: () => void): void {
    const event = { at, sequence: this.#sequence++, run }
    const heap = this.#heap
    let child = heap.push(event) - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!before(event, heap[parent] as Event)) break
      heap[child] = heap[parent] as Event
      child = parent
    }
    heap[child] = event
  }

  /** Takes the first event that is not after `until`. */
  pop(until: number): Event | undefined {
    const heap = this.#heap
    const [first] = heap
    if (first === undefined || first.at > until) return undefined
    const last = heap.pop() as Event
    if (heap.length === 0) return first
    let parent = 0
    for (;;) {
      let child = 2 * parent + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!before(heap[child] as Event, last)) break
      heap[parent] = heap[child] as Event
      parent = child
    }
    heap[parent] = last
    return first
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}
