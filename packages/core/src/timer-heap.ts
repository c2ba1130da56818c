/** What a clock fires: `due` (ms) says when, `sequence` says who is first among those that are due together. */
export interface Timer {
  readonly due: number
  readonly sequence: number
  readonly callback: () => void
  /** Where the timer stands in the heap; -1 once it has left it. Kept by the heap. */
  at: number
}

/**
 * Timers by the time they are due: a binary heap (Williams 1964) in which each timer knows its place, so that one that
 * is cancelled leaves at once. Most timers of a network are deadlines that never fire; left in, they would hold what
 * they close over until then. O(log n) to add and to take, exact order by (due, sequence).
 */
export class TimerHeap {
  readonly #timers: Timer[] = []

  get size(): number {
    return this.#timers.length
  }

  /** The one that is due first. */
  first(): Timer | undefined {
    return this.#timers[0]
  }

  add(timer: Timer): void {
    this.#timers.push(timer)
    this.#rise(timer, this.#timers.length - 1)
  }

  /** Takes a timer out, wherever it stands; one that has left already changes nothing. */
  remove(timer: Timer): void {
    const { at } = timer
    if (at < 0) return
    timer.at = -1
    const last = this.#timers.pop() as Timer
    if (last === timer) return
    if (at > 0 && isBefore(last, this.#timers[(at - 1) >> 1] as Timer)) this.#rise(last, at)
    else this.#sink(last, at)
  }

  #rise(timer: Timer, from: number): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.#timers[above] as Timer
      if (!isBefore(timer, parent)) break
      this.#place(parent, at)
      at = above
    }
    this.#place(timer, at)
  }

  #sink(timer: Timer, from: number): void {
    let at = from
    for (;;) {
      let below = 2 * at + 1
      let child = this.#timers[below]
      if (child === undefined) break
      const right = this.#timers[below + 1]
      if (right !== undefined && isBefore(right, child)) {
        below++
        child = right
      }
      if (!isBefore(child, timer)) break
      this.#place(child, at)
      at = below
    }
    this.#place(timer, at)
  }

  #place(timer: Timer, at: number): void {
    this.#timers[at] = timer
    timer.at = at
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.sequence < b.sequence)
}
