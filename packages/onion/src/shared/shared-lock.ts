/** ms after which a lock that another thread holds is given up: what it guards takes microseconds. */
const WAIT_MS = 100
const FREE = 0
const HELD = 1

/** A lock in memory that several threads share: the word of `words` at `at`. No thread but a worker may wait for it. */
export class SharedLock {
  readonly #words: Int32Array
  readonly #at: number

  constructor(words: Int32Array, at: number) {
    this.#words = words
    this.#at = at
  }

  /** Runs `task` alone; `otherwise` when the lock does not come free, as when its thread died. */
  run<T>(task: () => T, otherwise: T): T {
    if (!this.#take()) return otherwise
    try {
      return task()
    } finally {
      Atomics.store(this.#words, this.#at, FREE)
      Atomics.notify(this.#words, this.#at, 1)
    }
  }

  #take(): boolean {
    while (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) !== FREE)
      if (Atomics.wait(this.#words, this.#at, HELD, WAIT_MS) === 'timed-out') return false
    return true
  }
}
