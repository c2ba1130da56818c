import type { DidKey, SignedEnvelope } from '@weft/crypto'
import { MAX_EVIDENCE, RENEW_MS, SUSPICION_LIFE_MS } from './liveness-limits.ts'
import type { ObserverPlace } from './observer-place.ts'
import { distinctPlaces } from './observer-place.ts'
import type { Suspicion } from './suspicion.ts'

export interface Testimony {
  readonly observer: DidKey
  readonly place: ObserverPlace
  readonly suspicion: Suspicion
  /** As it arrived, to be passed on. */
  readonly envelope: SignedEnvelope
}

/**
 * What other observers signed about one neighbour: the newest of each, MAX_EVIDENCE of them at most, and only one of each
 * family and of each network prefix, so that many nodes of one operator leave no less room for the others.
 */
export class Evidence {
  readonly #held = new Map<DidKey, Testimony>()
  /** What was counted last, and for whom: it is asked ten times a second of each neighbour that is silent. */
  #counted: { readonly own: ObserverPlace | undefined; readonly observers: number } | undefined

  get size(): number {
    return this.#held.size
  }

  /** Whether it would be kept: the first of its place, or one of a later incarnation or time by the same observer. */
  wants({ observer, place, suspicion: { incarnation, at } }: Testimony): boolean {
    const held = this.#held.get(observer)?.suspicion
    if (held === undefined) return this.#held.size < MAX_EVIDENCE && !this.covers(place)
    return incarnation > held.incarnation || at >= held.at + RENEW_MS
  }

  has(observer: DidKey): boolean {
    return this.#held.has(observer)
  }

  /** Somebody of this family or prefix has testified. */
  covers({ family, prefix }: ObserverPlace): boolean {
    return this.#held.values().some(({ place }) => place.family === family || place.prefix === prefix)
  }

  add(testimony: Testimony): void {
    this.#held.set(testimony.observer, testimony)
    this.#counted = undefined
  }

  clear(): void {
    this.#held.clear()
    this.#counted = undefined
  }

  /** Forgets what a sign of life of this incarnation takes back: suspicions of an earlier one, and of one that was never there. */
  refute(incarnation: number): void {
    for (const [observer, { suspicion }] of this.#held) {
      if (suspicion.incarnation !== incarnation) this.#forget(observer)
    }
  }

  /** Forgets what is too old. @param now ms since the Unix epoch */
  expire(now: number): void {
    for (const [observer, { suspicion }] of this.#held) {
      if (Math.abs(now - suspicion.at) > SUSPICION_LIFE_MS) this.#forget(observer)
    }
  }

  /** Observers that count as several: of distinct families and networks, none of them this node's own. */
  observers(own: ObserverPlace | undefined): number {
    if (this.#held.size === 0) return 0
    if (this.#counted === undefined || this.#counted.own !== own) {
      const places = this.#held.values().map(({ place }) => place)
      this.#counted = { own, observers: distinctPlaces(places, own) }
    }
    return this.#counted.observers
  }

  envelopes(): SignedEnvelope[] {
    return [...this.#held.values()].map(({ envelope }) => envelope)
  }

  #forget(observer: DidKey): void {
    this.#held.delete(observer)
    this.#counted = undefined
  }
}
