import { Emitter, type Logger, messageOf } from '@weft/core'
import { type BeaconStore, KEPT_BEACONS } from './beacon-store.ts'
import type { Beacon } from './beacon.ts'

/** The beacons of the maps that passed by, by which nodes take their positions. */
export class BeaconHistory {
  readonly #store: Pick<BeaconStore, 'beacons' | 'saveBeacon'>
  readonly #logger: Logger
  /** Ascending. */
  #signed: readonly Beacon[]
  /** One that this validator made itself and that no map has carried yet. */
  #made: Beacon | undefined
  readonly #emitter = new Emitter<{ change: undefined }>()

  constructor(store: Pick<BeaconStore, 'beacons' | 'saveBeacon'>, logger: Logger) {
    this.#store = store
    this.#logger = logger
    this.#signed = store.beacons()
  }

  /** Epoch of the newest that is known; -1 before the first. */
  get newestEpoch(): number {
    return Math.max(this.#signed.at(-1)?.epoch ?? -1, this.#made?.epoch ?? -1)
  }

  /** Takes the beacon of a map that a quorum signed. */
  note(beacon: Beacon): void {
    if (beacon.epoch <= (this.#signed.at(-1)?.epoch ?? -1)) return
    this.#signed = [...this.#signed, beacon].slice(-KEPT_BEACONS)
    try {
      this.#store.saveBeacon(beacon)
    } catch (error) {
      // It is in the map as well; only who was admitted just before cannot be placed after a restart.
      this.#logger.warn('a beacon could not be kept', { error: messageOf(error) })
    }
    this.#emitter.emit('change', undefined)
  }

  /** Takes one that this validator made: who knows it could like it or not, before the map that carries it is there. */
  noteMade(beacon: Beacon): void {
    this.#made = beacon
    this.#emitter.emit('change', undefined)
  }

  /** The first beacon of a later epoch; undefined when there is none yet, or it passed this node by. */
  after(epoch: number): Beacon | undefined {
    const covers = (beacon: Beacon | undefined): boolean =>
      beacon !== undefined && beacon.previous <= epoch && epoch < beacon.epoch
    return this.#signed.find(covers) ?? (covers(this.#made) ? this.#made : undefined)
  }

  /** Returns the unsubscribe function. */
  onChange(listener: () => void): () => void {
    return this.#emitter.on('change', listener)
  }
}
