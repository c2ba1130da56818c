/** A queue of streams, each in it at most once; taking one out at the front and putting it back is a round robin. */
export class StreamQueue<T> {
  #items: (T | undefined)[] = Array.from({ length: 16 })
  #head = 0
  #count = 0
  readonly #members = new Set<T>()

  get size(): number {
    return this.#count
  }

  get first(): T | undefined {
    return this.#count === 0 ? undefined : this.#items[this.#head]
  }

  add(item: T): void {
    if (this.#members.has(item)) return
    this.#members.add(item)
    if (this.#count === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#count) & (this.#items.length - 1)] = item
    this.#count++
  }

  /** Takes the first out. */
  shift(): T | undefined {
    const item = this.first
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#count--
    this.#members.delete(item)
    return item
  }

  /** Takes out whichever it is. */
  remove(item: T): void {
    if (!this.#members.has(item)) return
    for (let left = this.#count; left > 0; left--) {
      const first = this.shift()
      if (first !== undefined && first !== item) this.add(first)
    }
  }

  /** Puts the first behind all others. */
  rotate(): void {
    if (this.#count < 2) return
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#items[(this.#head + this.#count - 1) & (this.#items.length - 1)] = item
  }

  clear(): void {
    while (this.shift() !== undefined);
  }

  #grow(): void {
    const items: (T | undefined)[] = Array.from({ length: this.#items.length * 2 })
    for (let i = 0; i < this.#count; i++) items[i] = this.#items[(this.#head + i) & (this.#items.length - 1)]
    this.#items = items
    this.#head = 0
  }
}
