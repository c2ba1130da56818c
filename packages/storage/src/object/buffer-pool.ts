import type { Clock } from '@weft/core'
import type { SharedBytes } from './coding-job.ts'

/** Nobody took a buffer for this long: the free ones are let go, ms. */
const IDLE_MS = 20_000

/**
 * Buffers of segments, used again and again by all transfers: fresh ones would cost a page fault each 4 KiB, which is
 * dearer than the encryption itself, and as garbage they would have the collector mark the whole heap every 64 MB.
 *
 * A buffer is given back only when it is known that nothing reads or writes it any more; after a failed put a stream may,
 * so it is left to the collector. Buffers that held plaintext and those whose bytes go to holders are of two pools, so that a holder that
 * acknowledges before it has read everything is sent at worst what was sealed for another one.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[] = []
  /** Let go, and perhaps not collected yet: taken again while they are there, as a new one would be memory on top. */
  #letGo: WeakRef<SharedArrayBuffer>[] = []
  readonly #capacity: number
  readonly #clock: Pick<Clock, 'after'>
  #freeBytes = 0
  #cancelIdle: () => void = () => {}

  /** @param capacity free bytes that are kept at most. */
  constructor(capacity: number, clock: Pick<Clock, 'after'>) {
    this.#capacity = capacity
    this.#clock = clock
  }

  /** Free bytes that are kept. */
  get free(): number {
    return this.#freeBytes
  }

  /** A buffer of `length` bytes with whatever was in it before. */
  take(length: number): SharedBytes {
    // Not the large one of a plaintext for a small shard.
    const at = this.#free.findIndex((buffer) => fits(buffer, length))
    const buffer = at < 0 ? (this.#takeBack(length) ?? this.#replace(length)) : this.#remove(at)
    return new Uint8Array(buffer, 0, length)
  }

  /** Gives a buffer back that nothing reads or writes any more. */
  give(bytes: SharedBytes): void {
    const { buffer } = bytes
    if (this.#freeBytes + buffer.byteLength <= this.#capacity) {
      this.#free.push(buffer)
      this.#freeBytes += buffer.byteLength
    }
    this.#cancelIdle()
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.clear())
  }

  /** Lets all free buffers go. */
  clear(): void {
    this.#cancelIdle()
    this.#letGo = [
      ...this.#letGo.filter((ref) => ref.deref() !== undefined),
      ...this.#free.map((one) => new WeakRef(one)),
    ]
    this.#free.length = 0
    this.#freeBytes = 0
  }

  [Symbol.dispose](): void {
    this.clear()
  }

  #takeBack(length: number): SharedArrayBuffer | undefined {
    for (const [at, ref] of this.#letGo.entries()) {
      const buffer = ref.deref()
      if (buffer === undefined || !fits(buffer, length)) continue
      this.#letGo.splice(at, 1)
      return buffer
    }
    return undefined
  }

  /** A new buffer in the place of the oldest free ones, which are of other lengths: both would be too much. */
  #replace(length: number): SharedArrayBuffer {
    for (let dropped = 0; dropped < length && this.#free.length > 0;) dropped += this.#remove(0).byteLength
    return new SharedArrayBuffer(length)
  }

  #remove(at: number): SharedArrayBuffer {
    const buffer = this.#free.splice(at, 1)[0] as SharedArrayBuffer
    this.#freeBytes -= buffer.byteLength
    return buffer
  }
}

function fits({ byteLength }: SharedArrayBuffer, length: number): boolean {
  return byteLength >= length && byteLength <= 2 * length
}
