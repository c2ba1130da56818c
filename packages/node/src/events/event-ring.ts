/** What happened, as clients of the event stream see it. */
export interface WeftEvent {
  /** `<boot>-<n>`; undefined for progress, which is told live and not kept. */
  readonly id: string | undefined
  readonly name: EventName
  readonly data: unknown
}

/** What events are of (docs/specs/http-api.md). */
export const EVENT_NAMES = [
  'map',
  'term',
  'peer',
  'admission',
  'reach',
  'lease',
  'transfer',
  'removal',
  'status',
  'route',
  'route-event',
  'throughput',
  'killSwitch',
] as const

/** `reset` tells a client that events were lost since its last one: it has to read the state anew. */
export type EventName = (typeof EVENT_NAMES)[number] | 'reset'

/** Events that are kept for clients that come back. */
const EVENT_RING_CAPACITY = 1_000

/**
 * The last thousand events of this boot. A client that lost its connection names the last id it saw and gets what
 * came since, or is told that this cannot be had.
 */
export class EventRing {
  readonly boot: string
  readonly #capacity: number
  readonly #kept: WeftEvent[] = []
  readonly #listeners = new Set<(event: WeftEvent) => void>()
  #count = 0

  /** @param boot a name of this start of the daemon: ids of another one are told apart by it */
  constructor(boot: string, capacity: number = EVENT_RING_CAPACITY) {
    this.boot = boot
    this.#capacity = capacity
  }

  /** The id of the newest kept event; `<boot>-0` before the first. */
  get lastId(): string {
    return `${this.boot}-${this.#count}`
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** Keeps an event and tells it. */
  add(name: Exclude<EventName, 'reset'>, data: unknown): void {
    const event = { id: `${this.boot}-${++this.#count}`, name, data }
    this.#kept.push(event)
    if (this.#kept.length > this.#capacity) this.#kept.shift()
    this.#tell(event)
  }

  /** Tells an event to who listens now, and forgets it: progress, of which only the newest matters. */
  announce(name: Exclude<EventName, 'reset'>, data: unknown): void {
    this.#tell({ id: undefined, name, data })
  }

  /** The kept events after `lastId`; undefined when some of them are gone, or the id is of another boot or none of ours. */
  since(lastId: string): readonly WeftEvent[] | undefined {
    const match = /^([A-Za-z0-9]{1,32})-(\d{1,15})$/.exec(lastId)
    if (match === null || match[1] !== this.boot) return undefined
    const seen = Number(match[2])
    const missing = this.#count - seen
    if (missing < 0 || missing > this.#kept.length) return undefined
    return missing === 0 ? [] : this.#kept.slice(-missing)
  }

  /** Calls back with each event from now on; returns the unsubscribe function. */
  listen(listener: (event: WeftEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(event: WeftEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
