import type { Connection } from '@libp2p/interface'
import { type Clock, equalBytes, systemRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { unreachable } from './dialer.ts'

/** The ping of libp2p (its specs, ping): 32 random bytes, sent back as they are. */
const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const PING_LENGTH = 32

/** One round trip in ms, without the time to open the stream. @throws WeftError E_NODE_UNREACHABLE */
export async function pingPeer(connection: Connection, id: DidKey, clock: Clock, signal: AbortSignal): Promise<number> {
  try {
    const raw = await connection.newStream([PING_PROTOCOL], { signal })
    const stream = new Libp2pByteStream(raw, id)
    const onAbort = (): void => stream.abort(new Error('the ping was cancelled'))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const sent = systemRandom.bytes(PING_LENGTH)
      const start = clock.monotonic()
      await stream.write(sent)
      const received = new Uint8Array(PING_LENGTH)
      let length = 0
      for await (const chunk of stream.incoming) {
        received.set(chunk.subarray(0, PING_LENGTH - length), length)
        length += chunk.length
        if (length >= PING_LENGTH) break
      }
      const rtt = clock.monotonic() - start
      if (!equalBytes(sent, received)) throw new Error('the answer to the ping has other bytes')
      return rtt
    } finally {
      signal.removeEventListener('abort', onAbort)
      stream.abort(new Error('the ping is over'))
    }
  } catch (error) {
    throw unreachable(
      id,
      [{ address: connection.remoteAddr.toString(), reason: error instanceof Error ? error.message : String(error) }],
      error,
    )
  }
}
