import type { ServerResponse } from 'node:http'
import { SECURITY_HEADERS } from '../http/security-headers.ts'
import type { EventRing } from './event-ring.ts'
import { formatEvent } from './format-event.ts'

/** ms between comments that keep the connection open and show a dead one. */
const HEARTBEAT_MS = 15_000
/** Bytes that may wait for a client. One that reads slower is cut off; it resumes with its last id. */
export const MAX_WAITING = 1024 * 1024

/**
 * Writes events until the client goes, falls behind, or `signal` fires.
 * @param lastId what the client saw last, where it saw any
 */
export function streamEvents(
  response: ServerResponse,
  ring: EventRing,
  lastId: string | undefined,
  signal: AbortSignal,
): void {
  response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  const write = (text: string): void => {
    response.write(text)
    if (response.writableLength > MAX_WAITING) response.destroy()
  }
  const missed = lastId === undefined ? [] : ring.since(lastId)
  // An id without data moves the client's last id and calls no listener (HTML Living Standard, section 9.2.6).
  if (lastId === undefined) write(`retry: 1000\nid: ${ring.lastId}\n\n`)
  else if (missed === undefined)
    write(formatEvent({ id: ring.lastId, name: 'reset', data: { since: lastId.slice(0, 64) } }))
  for (const event of missed ?? []) write(formatEvent(event))

  const stop = ring.listen((event) => write(formatEvent(event)))
  const heartbeat = setInterval(() => write(': \n\n'), HEARTBEAT_MS)
  heartbeat.unref()
  const end = (): void => void response.end()
  signal.addEventListener('abort', end, { once: true })
  response.once('close', () => {
    stop()
    clearInterval(heartbeat)
    signal.removeEventListener('abort', end)
  })
  if (signal.aborted) end()
}
