import type { Movable } from './coding-job.ts'

/**
 * The buffers of one transfer, used again and again: fresh ones would cost a page fault each 4 KiB, which is dearer
 * than the encryption itself. It holds no more than were in use at once.
 */
export class BufferPool {
  readonly #free: ArrayBuffer[] = []

  /** A buffer of `length` bytes with whatever was in it before. */
  take(length: number): Movable {
    // Not the large one of a plaintext for a small shard.
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= length && byteLength <= 2 * length)
    const buffer = at < 0 ? new ArrayBuffer(length) : (this.#free.splice(at, 1)[0] as ArrayBuffer)
    return new Uint8Array(buffer, 0, length)
  }

  /** Gives a buffer back that nothing reads or writes any more. */
  give(bytes: Movable): void {
    this.#free.push(bytes.buffer)
  }
}
