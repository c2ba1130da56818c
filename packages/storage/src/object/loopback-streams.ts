import type { Logger } from '@weft/core'
import { messageOf } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ByteStream, Streams } from '@weft/overlay'
import { streamPair } from './stream-pair.ts'

/** The handler of a stream protocol, as `Streams.handleStream` takes it. */
type StreamHandler = Parameters<Streams['handleStream']>[1]

/**
 * The overlay's streams, and beside them streams from this node to itself: a holder that puts an object may then hold
 * one of its shards. Those never touch the network.
 * @param signal ends streams of this node to itself.
 */
export function loopbackStreams(self: DidKey, streams: Streams, logger: Logger, signal: AbortSignal): Streams {
  const handlers = new Map<string, StreamHandler>()
  const openToSelf = (handler: StreamHandler): ByteStream => {
    const [near, far] = streamPair(self)
    handler(far, signal).catch((error: unknown) => {
      logger.debug('storage: a stream of this node to itself ended', { error: messageOf(error) })
      far.abort(error instanceof Error ? error : new Error(messageOf(error)))
    })
    return near
  }
  return {
    async open(to, protocol, signalOfCaller) {
      const handler = to === self ? handlers.get(protocol) : undefined
      return handler === undefined ? streams.open(to, protocol, signalOfCaller) : openToSelf(handler)
    },
    handleStream(protocol, handler) {
      handlers.set(protocol, handler)
      streams.handleStream(protocol, handler)
    },
  }
}
