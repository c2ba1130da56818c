import type { DidKey } from '@weft/crypto'
import { type Beacon, type Overlay, findBeacon } from '@weft/overlay'

export type AuditOverlay = Pick<Overlay, 'self' | 'networkId' | 'membership' | 'term' | 'rpc'>

/** The beacons by which audits are drawn, as the signed map has them. */
export class AuditBeacons {
  readonly #overlay: AuditOverlay

  constructor(overlay: AuditOverlay) {
    this.#overlay = overlay
  }

  get newest(): Beacon | undefined {
    return this.#overlay.membership.status().beacon
  }

  /** The first beacon of a later epoch; undefined while there is none. Asks validators for one that passed this node by. */
  async after(epoch: number, signal: AbortSignal): Promise<Beacon | undefined> {
    const { newest } = this
    if (newest === undefined || newest.epoch <= epoch) return undefined
    if (newest.previous <= epoch) return newest
    const { rpc, self } = this.#overlay
    const validators = this.#overlay.term().validators.map(({ id }) => id)
    const others = validators.filter((id): id is DidKey => id !== self)
    const someHonest = Math.floor((validators.length - 1) / 3) + 1
    return findBeacon({ rpc, others, someHonest: Math.min(someHonest, others.length) }, epoch, signal)
  }
}

/** Audit epochs follow from the epochs of the signed map, so that no clock has to be right. */
export class AuditEpochs {
  readonly #overlay: Pick<AuditOverlay, 'membership'>
  /** Map epochs in one. */
  readonly #length: number

  constructor(overlay: Pick<AuditOverlay, 'membership'>, length: number) {
    this.#overlay = overlay
    this.#length = Math.max(1, length)
  }

  /** Undefined before the first map. */
  get current(): number | undefined {
    const { epoch } = this.#overlay.membership.status()
    return epoch === undefined ? undefined : Math.floor(epoch / this.#length)
  }
}
