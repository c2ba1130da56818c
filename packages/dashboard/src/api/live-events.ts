/** Events of the daemon that make a page look again. */
export type EventName = 'map' | 'peer' | 'admission' | 'transfer' | 'status'

type Listener = (name: EventName | 'open' | 'lost') => void

const NAMES: readonly EventName[] = ['map', 'peer', 'admission', 'transfer', 'status']
const listeners = new Set<Listener>()
let source: EventSource | undefined

/** Subscribes to the one event stream of the page (SSE, resumed by its ids); returns the unsubscribe function. */
export function onLiveEvent(listener: Listener): () => void {
  listeners.add(listener)
  if (source === undefined) {
    source = new EventSource('/api/v1/events')
    const tell = (name: EventName | 'open' | 'lost') => (): void => {
      for (const each of listeners) each(name)
    }
    for (const name of NAMES) source.addEventListener(name, tell(name))
    source.addEventListener('open', tell('open'))
    source.addEventListener('error', tell('lost'))
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      source?.close()
      source = undefined
    }
  }
}
