import type { Clock } from '@weft/core'
import { PACE_BYTES, PACE_MS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'

/**
 * Bounds how long a client is waited for: it counts only the time in which nothing else was to be done, and each PACE_MS of it has to
 * bring PACE_BYTES. So neither a client that stands still nor one that drips holds a place for long.
 */
export class ClientPace {
  readonly #clock: Clock
  #waited = 0
  #bytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param bytes how many the settled value stands for. @throws S3Error RequestTimeout */
  async wait<T>(task: Promise<T>, bytes: (value: T) => number): Promise<T> {
    const began = this.#clock.monotonic()
    const { promise: late, reject } = Promise.withResolvers<never>()
    const cancel = this.#clock.after(PACE_MS - this.#waited, () => reject(new S3Error('RequestTimeout')))
    late.catch(() => {})
    task.catch(() => {})
    try {
      const value = await Promise.race([task, late])
      this.#bytes += bytes(value)
      return value
    } finally {
      cancel()
      this.#waited += this.#clock.monotonic() - began
      if (this.#bytes >= PACE_BYTES) {
        this.#bytes = 0
        this.#waited = 0
      }
    }
  }
}
