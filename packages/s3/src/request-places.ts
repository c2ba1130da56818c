import { Semaphore } from '@weft/core'
import { MAX_REQUESTS, MAX_REQUESTS_OF_KEY, MAX_STORING_OF_KEY } from './limits.ts'
import { S3Error } from './s3-error.ts'

interface OfKey {
  requests: number
  readonly storing: Semaphore
}

/** The place that a request has until it is answered. */
export interface Place extends Disposable {
  /** Runs what takes a body into storage, when its turn has come. @throws WeftError E_ABORTED */
  storing<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/**
 * Places for requests whose signature was right. No key has all of them, nor all that storage has for bodies: who sends
 * slowly with one key holds up nobody who has another one.
 */
export class RequestPlaces {
  readonly #keys = new Map<string, OfKey>()
  #requests = 0

  get taken(): number {
    return this.#requests
  }

  /** @throws S3Error SlowDown */
  take(accessKeyId: string): Place {
    const own = this.#keys.get(accessKeyId) ?? { requests: 0, storing: new Semaphore(MAX_STORING_OF_KEY) }
    if (this.#requests >= MAX_REQUESTS || own.requests >= MAX_REQUESTS_OF_KEY) throw new S3Error('SlowDown')
    this.#keys.set(accessKeyId, own)
    this.#requests++
    own.requests++
    let held = true
    return {
      storing: (task, signal) => own.storing.use(task, signal),
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        this.#requests--
        if (--own.requests === 0) this.#keys.delete(accessKeyId)
      },
    }
  }
}
