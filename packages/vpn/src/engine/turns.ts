/**
 * Works on what waits once a turn of the event loop, behind the packets that came in it: `work` does some of it and says whether
 * more waits. A thread that packets leave idle does turn after turn; on a busy one each turn brings its packets first.
 */
export class Turns {
  readonly #work: () => boolean
  #scheduled = false
  #closed = false

  constructor(work: () => boolean) {
    this.#work = work
  }

  /** Something waits. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(this.#run)
  }

  close(): void {
    this.#closed = true
  }

  readonly #run = (): void => {
    this.#scheduled = false
    if (!this.#closed && this.#work()) this.schedule()
  }
}
