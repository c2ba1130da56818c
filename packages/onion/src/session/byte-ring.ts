import { type SessionMemory } from './memory-budget.ts'
import { MIN_CAPACITY } from './tuning.ts'

/** An empty ring this small is kept while its session has a share of the memory; a larger one goes back when that of all is short, too. */
const KEEP_CAPACITY = 16_384

const NOTHING = new Uint8Array(0)

/**
 * Bytes of a stream by their offset, in a ring that grows by doubling as far as the memory budget lets it. The ring does not
 * know which offsets hold data: its user does. Capacity is a power of two, so an offset's place is its low bits.
 */
export class ByteRing {
  readonly #memory: SessionMemory
  readonly #receives: boolean
  #bytes: Uint8Array = NOTHING

  /** @param receives its bytes can be had again: it yields when memory is short */
  constructor(memory: SessionMemory, receives = false) {
    this.#memory = memory
    this.#receives = receives
  }

  get capacity(): number {
    return this.#bytes.length
  }

  /** Bytes by which it grows when it is to hold `need`. */
  growth(need: number): number {
    const { length } = this.#bytes
    if (need <= length) return 0
    let capacity = Math.max(MIN_CAPACITY, length)
    while (capacity < need) capacity *= 2
    return capacity - length
  }

  /** Whether the budget has what it takes to hold `need` bytes. */
  mayHold(need: number): boolean {
    return this.growth(need) <= this.#memory.budget.free
  }

  /** Makes room for [base, end), keeping [base, keep). False when the budget does not have it; the ring is as before then. */
  reserve(base: number, keep: number, end: number): boolean {
    const more = this.growth(end - base)
    if (more === 0) return true
    if (!(this.#receives ? this.#memory.takeToReceive(more) : this.#memory.take(more))) return false
    const old = this.#bytes
    this.#bytes = new Uint8Array(old.length + more)
    for (let at = base; at < keep;) {
      const from = at & (old.length - 1)
      const length = Math.min(keep - at, old.length - from)
      this.write(at, old, from, from + length)
      at += length
    }
    return true
  }

  /** Copies source[start, end) to `offset`. The place has been reserved. */
  write(offset: number, source: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes
    const at = offset & (bytes.length - 1)
    const first = Math.min(end - start, bytes.length - at)
    copy(source, start, start + first, bytes, at)
    if (first < end - start) copy(source, start + first, end, bytes, 0)
  }

  /** Copies `length` bytes at `offset` into `target` at `at`. */
  read(offset: number, length: number, target: Uint8Array, at: number): void {
    const bytes = this.#bytes
    const from = offset & (bytes.length - 1)
    const first = Math.min(length, bytes.length - from)
    copy(bytes, from, from + first, target, at)
    if (first < length) copy(bytes, 0, length - first, target, at + first)
  }

  /** A view of what lies at `offset`, up to `length` bytes but not round the ring's end. */
  view(offset: number, length: number): Uint8Array {
    const from = offset & (this.#bytes.length - 1)
    return this.#bytes.subarray(from, Math.min(from + length, this.#bytes.length))
  }

  /** Nothing is kept any more: gives large memory back when it is short. */
  onEmpty(): void {
    const { budget, hasShare } = this.#memory
    if (!hasShare || (this.#bytes.length > KEEP_CAPACITY && budget.isTight)) this.free()
  }

  free(): void {
    const { length } = this.#bytes
    this.#bytes = NOTHING
    this.#memory.give(length)
  }
}

function copy(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at)
}
