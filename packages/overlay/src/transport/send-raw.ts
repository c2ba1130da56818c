import { type Clock, wait } from '@weft/core'
import { KiB } from '@weft/wire'
import type { ByteStream } from '../byte-stream.ts'
import type { RawOutcome } from './transport.ts'

const RAW_WAIT_MS = 2_000
const MAX_RAW_ANSWER = 64 * KiB

/**
 * Writes raw bytes on a stream of a probe, reports what happened within `waitMs` (2,000 by default), and drops the stream.
 * @throws WeftError E_ABORTED
 */
export async function sendRaw(
  stream: ByteStream,
  bytes: Uint8Array,
  clock: Clock,
  waitMs = RAW_WAIT_MS,
  signal?: AbortSignal,
): Promise<RawOutcome> {
  const received = new Uint8Array(MAX_RAW_ANSWER)
  let length = 0
  const exchange = async (): Promise<RawOutcome['state']> => {
    try {
      await stream.write(bytes)
      for await (const chunk of stream.incoming) {
        const part = chunk.subarray(0, MAX_RAW_ANSWER - length)
        received.set(part, length)
        length += part.length
      }
      return 'ended'
    } catch {
      return 'reset'
    }
  }
  try {
    const state = await Promise.race([exchange(), wait(clock, waitMs, signal).then(() => 'open' as const)])
    return { received: received.slice(0, length), state }
  } finally {
    stream.abort(new Error('the probe is over'))
  }
}
