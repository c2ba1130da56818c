import { BoundedQueue, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ByteStream, Streams } from '@weft/overlay'

/** Two ends of a stream in memory. Bytes are copied, as a network does. */
function memoryStreams(a: DidKey, b: DidKey, window = 256 * 1024): [ByteStream, ByteStream] {
  const there = new BoundedQueue<Uint8Array>(window, (bytes) => bytes.length)
  const back = new BoundedQueue<Uint8Array>(window, (bytes) => bytes.length)
  const closed = Promise.withResolvers<void>()
  let open = 2
  const end = (remote: DidKey, writes: BoundedQueue<Uint8Array>, reads: BoundedQueue<Uint8Array>): ByteStream => ({
    remote,
    write: (bytes) => writes.push(bytes.slice()),
    incoming: reads,
    async closeWrite() {
      if (writes.ended) return
      writes.end()
      if (--open === 0) closed.resolve()
    },
    abort(error) {
      const reset = new WeftError({
        code: 'E_STREAM_RESET',
        cause: `reset: ${error.message}`,
        fix: 'None.',
        retryable: true,
      })
      writes.end(reset)
      reads.end(reset)
      closed.resolve()
    },
    closed: closed.promise,
  })
  return [end(b, there, back), end(a, back, there)]
}

/** The streams of one serving node, opened from a test. */
export class TestStreams implements Streams {
  #handler: ((stream: ByteStream, signal: AbortSignal) => Promise<void>) | undefined
  readonly #self: DidKey

  constructor(self: DidKey) {
    this.#self = self
  }

  open(): Promise<ByteStream> {
    throw new Error('use connect')
  }

  handleStream(_protocol: 'shard', handler: (stream: ByteStream, signal: AbortSignal) => Promise<void>): void {
    this.#handler = handler
  }

  /** A stream of `from` to this node, as the transport serves it. */
  connect(from: DidKey): ByteStream {
    const [near, far] = memoryStreams(from, this.#self)
    this.#handler?.(far, new AbortController().signal).catch((error: unknown) => far.abort(error as Error))
    return near
  }
}
