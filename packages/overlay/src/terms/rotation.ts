import { type Logger, equalBytes, messageOf } from '@weft/core'
import type { Beacon } from '../beacon/beacon.ts'
import type { Network } from '../network/network.ts'
import { type SeatedMap, rotationDue } from './handover-seats.ts'
import { type HandoverValue, decodeHandoverValue, encodeHandoverValue } from './handover-value.ts'
import { rotationAt, rotationStart } from './rotation-times.ts'
import type { Term } from './term.ts'
import type { TermStore } from './term-store.ts'

export interface RotationInit {
  readonly network: Pick<Network, 'file'>
  readonly term: Term
  readonly store: Pick<TermStore, 'rotation' | 'saveRotation'>
  readonly logger: Logger
}

/**
 * What the rotation is that a term owes (docs/specs/terms.md, Rotation). It follows from one beacon, the first of an epoch of
 * the rotation and of the term, and the map of the same epoch, which was fixed before anybody knew the value: nobody has a
 * choice between maps, nor between who should be in one. Whoever lacks that map waits for the others.
 */
export class Rotation {
  readonly #init: RotationInit
  /** Epoch of the newest beacon by which is to be drawn. */
  #beaconEpoch = -1
  /** Epoch of the newest one by which was drawn: an earlier one while the map is not here. */
  #anchorEpoch = -1
  #due: HandoverValue | undefined

  constructor(init: RotationInit) {
    this.#init = init
    const { store, term, logger } = init
    const kept = store.rotation(term.number + 1)
    if (kept === undefined) return
    try {
      this.#due = decodeHandoverValue(kept)
      this.#anchorEpoch = this.#due.anchorEpoch
      this.#beaconEpoch = this.#anchorEpoch
    } catch (error) {
      logger.warn('the rotation of before the restart is not used', { cause: messageOf(error) })
    }
  }

  /** Who is to leave and to enter; its `fromEpoch` is the first that there could be. */
  get due(): HandoverValue | undefined {
    return this.#due
  }

  /**
   * To be called with the beacon of each map of the term.
   * @param mapOf the map of an epoch, if it is held
   */
  note({ epoch, value, previous }: Beacon, mapOf: (epoch: number) => SeatedMap | undefined): void {
    const { network, term } = this.#init
    const rotation = rotationAt(network.file, epoch)
    const start = Math.max(rotationStart(network.file, rotation), term.fromEpoch)
    const isFirst = previous < start && start <= epoch
    if (rotation <= term.rotation || !isFirst || epoch < this.#beaconEpoch || epoch === this.#anchorEpoch) return
    this.#beaconEpoch = epoch
    const before = this.#due
    // What an earlier rotation owed is owed no more, also while the map is not here.
    this.#due = undefined
    const map = mapOf(epoch)
    if (map !== undefined) {
      this.#anchorEpoch = epoch
      const change = rotationDue(term, { ...map, seed: value })
      if (change !== undefined) this.#due = { rotates: true, fromEpoch: epoch + 1, anchorEpoch: epoch, ...change }
    }
    if (this.#due !== before) this.#save()
  }

  /** @returns undefined while the map by which it was drawn is not here */
  judge(value: HandoverValue): boolean | undefined {
    const right = this.#due
    if (value.anchorEpoch > this.#anchorEpoch && value.anchorEpoch >= this.#beaconEpoch) return undefined
    if (value.anchorEpoch !== this.#anchorEpoch || right === undefined) return false
    return equalBytes(encodeHandoverValue({ ...right, fromEpoch: value.fromEpoch }), encodeHandoverValue(value))
  }

  #save(): void {
    const { store, term, logger } = this.#init
    try {
      store.saveRotation(term.number + 1, this.#due && encodeHandoverValue(this.#due))
    } catch (error) {
      // After a restart it then waits for the others.
      logger.warn('a rotation could not be kept', { cause: messageOf(error) })
    }
  }
}
