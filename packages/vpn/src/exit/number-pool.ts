/** Hands out numbers; one that came back goes out last, so that hardly anybody gets one that others still call. */
export class NumberPool {
  readonly #free: number[] = []
  #head = 0

  /** Of `first` to `end`, which is not among them. */
  constructor(first: number, end: number) {
    for (let number = first; number < end; number++) this.#free.push(number)
  }

  /** Undefined when all are taken. */
  take(): number | undefined {
    const number = this.#free[this.#head]
    if (number === undefined) return undefined
    this.#head++
    if (this.#head * 2 > this.#free.length) {
      this.#free.splice(0, this.#head)
      this.#head = 0
    }
    return number
  }

  give(number: number): void {
    this.#free.push(number)
  }
}
