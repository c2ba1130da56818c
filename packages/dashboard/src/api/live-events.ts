import type { EventName as DaemonEvent } from '@weft/node'
import { EventStreamParser } from './event-stream-parser.ts'
import { authorization } from './session.ts'

/** Events of the daemon that make a page look again. */
export type EventName = Exclude<DaemonEvent, 'reset'>

/** All of them: one that the daemon has and this page has not does not compile. */
const NAMES: Readonly<Record<EventName, true>> = {
  map: true,
  term: true,
  peer: true,
  admission: true,
  reach: true,
  lease: true,
  transfer: true,
  removal: true,
  status: true,
  route: true,
  'route-event': true,
  throughput: true,
  killSwitch: true,
}

type Listener = (name: EventName | 'open' | 'lost') => void

/** ms after a stream broke off. */
const RECONNECT_MS = 1_000
const listeners = new Set<Listener>()
let following: AbortController | undefined

/** Subscribes to the one event stream of the page (SSE, resumed by its ids); returns the unsubscribe function. */
export function onLiveEvent(listener: Listener): () => void {
  listeners.add(listener)
  if (following === undefined) {
    following = new AbortController()
    follow(new EventStreamParser(), following.signal)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    following?.abort()
    following = undefined
  }
}

/** Follows the stream, anew when it breaks off, until the signal fires or the daemon knows no such session. */
function follow(parser: EventStreamParser, signal: AbortSignal): void {
  void readStream(parser, signal)
    // A stream that breaks off, or never came about, is the same to the page: it follows anew.
    .catch(() => true)
    .then((again) => {
      if (signal.aborted) return
      tell('lost')
      parser.reset()
      if (!again) return
      const timer = setTimeout(() => follow(parser, signal), RECONNECT_MS)
      signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    })
}

/** @returns whether another try may have more luck */
async function readStream(parser: EventStreamParser, signal: AbortSignal): Promise<boolean> {
  const { lastId } = parser
  const response = await fetch('/api/v1/events', {
    signal,
    headers: {
      accept: 'text/event-stream',
      ...authorization(),
      ...(lastId !== undefined && { 'last-event-id': lastId }),
    },
  })
  if (response.status === 401 || response.status === 403) return false
  if (!response.ok || response.body === null) return true
  tell('open')
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return true
      for (const name of parser.push(value)) if (isEventName(name)) tell(name)
    }
  } finally {
    await reader.cancel()
  }
}

function isEventName(name: string): name is EventName {
  return Object.hasOwn(NAMES, name)
}

function tell(name: EventName | 'open' | 'lost'): void {
  for (const listener of listeners) listener(name)
}
