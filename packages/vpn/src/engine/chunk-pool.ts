/** Bytes written to a socket or read from one at once, and gathered for one message to a port. */
export const CHUNK = 64 * 1024
/** Chunks kept for the next use: as many as are filled at once under load. */
const KEPT = 32

/**
 * Chunks that are used again. A fresh one for each message costs far more than its filling: V8 counts the memory behind buffers, and
 * marks the whole heap for every few hundred of them.
 */
export class ChunkPool {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK)
  }

  /** Nobody reads or writes it any more. */
  give(chunk: Buffer): void {
    if (this.#free.length < KEPT) this.#free.push(chunk)
  }
}
