import type { DidKey } from '@weft/crypto'

/** A bidirectional stream of bytes to one authenticated node, with back-pressure both ways. */
export interface ByteStream {
  readonly remote: DidKey
  /** Resolves when the transport can take more; bounded buffering. @throws when the stream is gone. */
  write(bytes: Uint8Array): Promise<void>
  /** What arrives, in order; ends when the other side closed its half. @throws WeftError E_STREAM_RESET. */
  readonly incoming: AsyncIterable<Uint8Array>
  /** Ends our half after what was written. */
  closeWrite(): Promise<void>
  /** Drops both halves at once. */
  abort(error: Error): void
  /** Fires when both halves are over, for whatever reason. */
  readonly closed: Promise<void>
}

export interface Streams {
  /** Opens a bulk stream. @throws WeftError E_NODE_UNREACHABLE, E_NETWORK_MISMATCH, E_ABORTED */
  open(to: DidKey, protocol: 'shard', signal?: AbortSignal): Promise<ByteStream>
  /** Registers the one handler of a stream protocol; the stream is aborted when the handler throws. */
  handleStream(protocol: 'shard', handler: (stream: ByteStream, signal: AbortSignal) => Promise<void>): void
}
