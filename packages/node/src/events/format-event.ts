import type { WeftEvent } from './event-ring.ts'

/** One event as text/event-stream (HTML Living Standard, section 9.2.5). JSON has no line breaks of its own. */
export function formatEvent({ id, name, data }: WeftEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
