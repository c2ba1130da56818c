import type { DidKey } from '@weft/crypto'
import type { Audience } from './gossip-queue.ts'
import type { LivenessAction } from './liveness-action.ts'
import { MOST_PLACES, type ObserverPlace, distinctPlaces, observersNeeded } from './observer-place.ts'
import type { WatchMode } from './watch-mode.ts'
import { type Standing, WatchedPeer } from './watched-peer.ts'

/** Whether one node may watch another. */
export type MayWatch = (watcher: DidKey, subject: DidKey) => boolean

/** The neighbours that are watched, how each of them stands, and what is to be done about them. */
export class Neighbourhood {
  readonly #self: DidKey
  readonly #placeOf: (id: DidKey) => ObserverPlace | undefined
  readonly #peers = new Map<DidKey, WatchedPeer>()
  readonly #down = new Set<DidKey>()
  #mode: WatchMode = 'alone'
  #mayWatch: MayWatch | undefined
  /** By whom they are about: 64 hashes each. */
  readonly #audiences = new Map<DidKey, Audience>()
  #actions: LivenessAction[] = []

  /** @param placeOf undefined for a node that is no member */
  constructor(self: DidKey, placeOf: (id: DidKey) => ObserverPlace | undefined) {
    this.#self = self
    this.#placeOf = placeOf
  }

  get size(): number {
    return this.#peers.size
  }

  get mode(): WatchMode {
    return this.#mode
  }

  get down(): ReadonlySet<DidKey> {
    return this.#down
  }

  get ownPlace(): ObserverPlace | undefined {
    return this.#placeOf(this.#self)
  }

  get(id: DidKey): WatchedPeer | undefined {
    return this.#peers.get(id)
  }

  peers(): Iterable<WatchedPeer> {
    return this.#peers.values()
  }

  /** Those of which this holds. */
  filter(is: (peer: WatchedPeer) => boolean): WatchedPeer[] {
    return [...this.#peers.values()].filter(is)
  }

  /**
   * The connected neighbour that was not heard for longest, and for so many ms at least, of those that are not being asked.
   * One that calls need not be called.
   */
  unheardFor(ms: number, now: number): WatchedPeer | undefined {
    let found: WatchedPeer | undefined
    let least = now - ms
    for (const peer of this.#peers.values()) {
      const heardAt = Math.max(peer.answeredAt, peer.probedAt)
      if (heardAt > least || !peer.connected || peer.probing) continue
      found = peer
      least = heardAt
    }
    return found
  }

  /** The neighbours that watch this one, too: all where everybody watches everybody. */
  audience(subject: DidKey): Audience {
    const mayWatch = this.#mayWatch
    if (mayWatch === undefined) return this.#peers
    let audience = this.#audiences.get(subject)
    if (audience === undefined) {
      audience = new Set(this.#peers.keys().filter((id) => mayWatch(id, subject)))
      this.#audiences.set(subject, audience)
    }
    return audience
  }

  /** Sets whom to watch. @returns those that are no longer watched */
  watch(ids: ReadonlySet<DidKey>, mode: WatchMode, mayWatch?: MayWatch): readonly DidKey[] {
    this.#mode = mode
    this.#mayWatch = mayWatch
    this.#audiences.clear()
    const gone = [...this.#peers.keys()].filter((id) => !ids.has(id))
    for (const id of gone) {
      this.#peers.delete(id)
      this.#down.delete(id)
    }
    for (const id of ids) {
      const place = this.#placeOf(id)
      const peer = this.#peers.get(id)
      if (peer === undefined) this.#peers.set(id, new WatchedPeer(id, place))
      else peer.place = place
    }
    return gone
  }

  /** Other observers that confirm the silence of a neighbour. */
  observers(peer: WatchedPeer): number {
    return peer.evidence.observers(this.ownPlace)
  }

  /** How many others have to confirm it: by all that could, also those that are silent themselves. */
  needed(peer: WatchedPeer): number {
    if (this.#mode === 'alone') return 0
    const others = this.#peers
      .values()
      .flatMap(({ id, place }) => (id === peer.id || place === undefined ? [] : [place]))
    return observersNeeded(distinctPlaces(others, this.ownPlace, MOST_PLACES))
  }

  /** @param now ms of the monotonic clock */
  stand(peer: WatchedPeer, standing: Standing, now: number): void {
    peer.standing = standing
    if (standing === 'down') this.#down.add(peer.id)
    else this.#down.delete(peer.id)
    const observers = 1 + this.observers(peer)
    const silentMs = now - (peer.silentSince ?? now)
    this.act({ kind: 'standing', id: peer.id, standing, observers, silentMs })
  }

  act(action: LivenessAction): void {
    this.#actions.push(action)
  }

  /** What is to be done since the last call. */
  take(): LivenessAction[] {
    const actions = this.#actions
    this.#actions = []
    return actions
  }
}
