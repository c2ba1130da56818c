import type { IncomingMessage } from 'node:http'
import { WeftError } from '@weft/core'

/** ms that a client may send nothing while the daemon waits for it. */
const UPLOAD_IDLE_MS = 60_000

/**
 * The body of an upload as it arrives, at the pace of its reader: the socket is read only when the reader asks, so
 * memory stays flat. Leaving early keeps the connection, so that the answer can still be sent.
 * @throws WeftError E_UPLOAD_BROKEN when the client broke off or fell silent
 */
export async function* uploadBody(
  request: IncomingMessage,
  idleMs: number = UPLOAD_IDLE_MS,
): AsyncGenerator<Uint8Array> {
  const chunks = request.iterator({ destroyOnReturn: false })
  try {
    for (;;) {
      // The time counts only while the daemon waits: a reader that is slow itself is no fault of the client.
      const timer = setTimeout(() => request.destroy(broken(`nothing came for ${idleMs / 1000} s`)), idleMs)
      const next = await chunks.next().finally(() => clearTimeout(timer))
      if (next.done === true) break
      yield next.value as Uint8Array
    }
  } catch (error) {
    throw error instanceof WeftError ? error : broken('the connection closed before the body was complete')
  } finally {
    await chunks.return?.()
  }
  // Node may end the stream of an aborted request without an error, when its reader was slower than the abort.
  if (!request.complete) throw broken('the connection closed before the body was complete')
}

function broken(why: string): WeftError {
  return new WeftError({
    code: 'E_UPLOAD_BROKEN',
    cause: `The upload broke off: ${why}.`,
    fix: 'Send it again; nothing of it was kept.',
    retryable: true,
  })
}
