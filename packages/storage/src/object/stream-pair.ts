import { BoundedQueue, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'

/** Bytes under way in each direction before a writer waits. */
const WINDOW = 512 * 1024

/** Two ends of a stream inside one process; bytes are handed over without a copy. @param self the node at both ends. */
export function streamPair(self: DidKey): [ByteStream, ByteStream] {
  const there = new BoundedQueue<Uint8Array>(WINDOW, (bytes) => bytes.length)
  const back = new BoundedQueue<Uint8Array>(WINDOW, (bytes) => bytes.length)
  const closed = Promise.withResolvers<void>()
  let open = 2
  const abort = (error: Error): void => {
    const reset = new WeftError({
      code: 'E_STREAM_RESET',
      cause: 'The stream was reset.',
      fix: 'Try again.',
      retryable: true,
      origin: error,
    })
    there.end(reset)
    back.end(reset)
    closed.resolve()
  }
  const end = (writes: BoundedQueue<Uint8Array>, reads: BoundedQueue<Uint8Array>): ByteStream => ({
    remote: self,
    write: (bytes) => writes.push(bytes),
    incoming: reads,
    closeWrite: async () => {
      if (writes.ended) return
      writes.end()
      if (--open === 0) closed.resolve()
    },
    abort,
    closed: closed.promise,
  })
  return [end(there, back), end(back, there)]
}
