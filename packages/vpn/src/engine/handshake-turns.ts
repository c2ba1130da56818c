/**
 * Works on handshakes once a turn of the event loop, behind the packets that came in it: `work` does a few and says whether
 * more wait. A thread that packets leave idle does turn after turn; on a busy one each turn brings its packets first.
 */
export class HandshakeTurns {
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
