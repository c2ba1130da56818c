import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { MapEntry } from '../map/map-entry.ts'
import { THERE_MS } from './recovery-times.ts'

/** Which electors take part in a recovery, as far as this node hears them itself. */
export class Presence {
  readonly #self: DidKey
  readonly #clock: Clock
  readonly #places: ReadonlyMap<DidKey, number>
  /** When an elector was last heard, by its place; on the clock that only goes forward, ms. */
  readonly #heard = new Map<number, number>()

  constructor(self: DidKey, clock: Clock, electors: readonly MapEntry[]) {
    this.#self = self
    this.#clock = clock
    this.#places = new Map(electors.map(({ member }, place) => [member.id, place]))
  }

  /** To be called with each call and answer; whoever is no elector is passed over. True when it was not there before. */
  note(id: DidKey): boolean {
    const place = this.#places.get(id)
    if (place === undefined) return false
    const isNews = !this.isThere(place)
    this.#heard.set(place, this.#clock.monotonic())
    return isNews
  }

  isThere(place: number): boolean {
    if (this.#places.get(this.#self) === place) return true
    const at = this.#heard.get(place)
    return at !== undefined && this.#clock.monotonic() - at <= THERE_MS
  }

  /** How many are there. */
  get count(): number {
    return [...this.#places.values()].filter((place) => this.isThere(place)).length
  }
}
