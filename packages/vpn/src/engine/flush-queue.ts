/** What has something to send once the current turn is over. */
export interface Flushable {
  /** Sends some of it; true when there is more. */
  flush(): boolean
}

/**
 * Gathers what a turn of the event loop produced, so that packets leave in batches: everything marked is flushed in a
 * microtask, and what has more to send after its share goes on in the next turn, when others had theirs.
 */
export class FlushQueue {
  readonly #marked = new Set<Flushable>()
  readonly #after: () => void
  #scheduled = false

  /** @param after called when all had their share: hands the batch to the network. */
  constructor(after: () => void) {
    this.#after = after
  }

  mark(item: Flushable): void {
    this.#marked.add(item)
    this.schedule()
  }

  /** The batch is handed over at the end of the turn even if nothing is marked. */
  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#run)
  }

  remove(item: Flushable): void {
    this.#marked.delete(item)
  }

  readonly #run = (): void => {
    const again: Flushable[] = []
    // One that is flushed may mark others: a session hands bytes to a socket, a socket opens a session's window.
    for (const item of this.#marked) {
      this.#marked.delete(item)
      if (item.flush()) again.push(item)
    }
    this.#after()
    for (const item of again) this.#marked.add(item)
    this.#scheduled = this.#marked.size > 0
    if (this.#scheduled) setImmediate(this.#run)
  }
}
