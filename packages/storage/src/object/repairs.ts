import { isWeftError, messageOf, throwIfAborted, wait } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { RepairCounts, StorageClass, StoredObject } from '../storage.ts'
import { GoneHolders } from './gone-holders.ts'
import { notOwn } from './not-own.ts'
import type { ObjectContext } from './object-context.ts'
import type { ObjectIndex } from './object-index.ts'
import { deriveObjectKeys } from './object-keys.ts'
import { parseObjectRef } from './object-ref.ts'
import { repairThreshold } from './renewing.ts'
import { restoreSegment } from './restore-object.ts'
import type { StandIn } from './stand-in-table.ts'
import { storageClass } from './storage-class.ts'

/** ms between two looks at the own objects. */
const SWEEP_MS = 10 * 60_000
/** An object that was looked at is left alone for this long, ms, unless another holder is given up. */
const AGAIN_MS = 3_600_000
/** The shards of each object are looked at as often as this, ms: a holder that is there may have lost or damaged some. */
const LOOK_MS = 7 * 24 * 3_600_000
/** Of these in one sweep, so that objects with lost holders wait for no more than so many others. */
const LOOKS = 32
/** Objects looked at in one turn of the event loop: each takes some 0.2 ms, to open its row. */
const SLICE = 16

export interface RepairsParts {
  readonly context: ObjectContext
  readonly index: ObjectIndex
  /** ms that a holder outside of the map is waited for. */
  readonly graceMs: number
}

/** One that is due. */
interface Due {
  readonly stored: StoredObject
  readonly class: StorageClass
  readonly gone: number
}

/**
 * Repairs what this node put, while it runs: it has the keys. An object is due when of its holders so many are given up
 * that only half of what could be lost is left, and else once a week; then all that are missing are made again. The riskiest
 * is the first, one at a time.
 */
export class Repairs {
  readonly #parts: RepairsParts
  readonly #gone: GoneHolders
  /** When each object was looked at, and how many of its holders were given up then. */
  readonly #looked = new Map<string, { readonly at: number; readonly gone: number }>()
  #counts = { restored: 0, bytes: 0, failed: 0 }
  #running = false
  readonly #loop: Promise<void>

  constructor(parts: RepairsParts) {
    this.#parts = parts
    this.#gone = new GoneHolders(parts.context, parts.graceMs)
    this.#loop = this.#run()
  }

  get counts(): RepairCounts {
    return { running: this.#running, ...this.#counts }
  }

  /** Resolves when nothing is under way; to be awaited after the storage's signal fired. */
  settled(): Promise<void> {
    return this.#loop
  }

  /** Looks at all own objects once and repairs those that are due. @throws WeftError E_ABORTED */
  async #sweep(): Promise<void> {
    for (const due of await this.#due()) {
      const { context } = this.#parts
      try {
        await this.#repair(due)
      } catch (error) {
        if (context.signal.aborted) throw error
        this.#count({ failed: 1 })
        context.logger.warn('storage: an object could not be repaired', {
          object: due.stored.object.slice(0, 8),
          error: messageOf(error),
        })
      }
    }
  }

  async #run(): Promise<void> {
    const { clock, signal, logger } = this.#parts.context
    try {
      for (;;) {
        await wait(clock, SWEEP_MS, signal)
        this.#running = true
        await this.#sweep()
        this.#running = false
      }
    } catch (error) {
      if (!signal.aborted && !isWeftError(error, 'E_ABORTED')) {
        logger.error('storage: own objects are not repaired any more', { error: messageOf(error) })
      }
    }
  }

  /**
   * Those that are due, the riskiest first: with the fewest shards above what is needed to read. Between slices of the list
   * others have their turn. @throws WeftError E_ABORTED
   */
  async #due(): Promise<Due[]> {
    const { context, index } = this.#parts
    const now = context.clock.now()
    const own = index.list(now)
    const ids = new Set(own.map(({ object }) => object))
    for (const object of this.#looked.keys()) if (!ids.has(object)) this.#looked.delete(object)
    const found: Due[] = []
    const looks: (Due & { readonly lookedAt: number })[] = []
    const named = new Set<DidKey>()
    for (const [at, stored] of own.entries()) {
      if (at > 0 && at % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
      throwIfAborted(context.signal)
      // Its holders must not learn who put it, and nobody takes shards of a stranger in the place of others.
      if (stored.private) continue
      const holders = index.holdersOf(stored.object) ?? []
      for (const node of holders) named.add(node)
      const gone = holders.filter((node) => this.#gone.isGone(node)).length
      const ofClass = storageClass(stored.class)
      if (holders.length === 0) continue
      if (ofClass.n - gone > repairThreshold(ofClass)) {
        const lookedAt = index.looks.of(stored.object) ?? stored.createdAt
        // A clock that was set back must not put it off.
        if (Math.abs(now - lookedAt) >= LOOK_MS) looks.push({ stored, class: ofClass, gone, lookedAt })
        continue
      }
      const last = this.#looked.get(stored.object)
      if (last !== undefined && last.gone === gone && now - last.at < AGAIN_MS) continue
      found.push({ stored, class: ofClass, gone })
    }
    this.#gone.forgetOthers(named)
    found.sort((a, b) => a.class.n - a.gone - a.class.k - (b.class.n - b.gone - b.class.k))
    return [...found, ...looks.sort((a, b) => a.lookedAt - b.lookedAt).slice(0, LOOKS)]
  }

  async #repair({ stored, gone }: Due): Promise<void> {
    const { context } = this.#parts
    const { signal, records, logger } = context
    const { object, dataKey } = parseObjectRef(stored.ref, context.overlay.networkId)
    if (dataKey === undefined) return
    this.#looked.set(stored.object, { at: context.clock.now(), gone })
    const { sealKey } = deriveObjectKeys(dataKey, object)
    const head = await records.readHead(object, signal)
    const isGone = (node: DidKey): boolean => this.#gone.isGone(node)
    const { index: own } = this.#parts
    own.looks.write(stored.object, context.clock.now())
    const onStandIn = (standIn: StandIn): void => {
      // It was removed meanwhile: who is not asked to let go gets nothing any more.
      if (own.get(stored.object) === undefined) throw notOwn(stored.object, 'repair')
      own.standIns.add(stored.object, standIn)
    }
    let lost = 0
    for (let index = 0; index < head.segments; index++) {
      const segment = await restoreSegment(context, { object, head, sealKey, isGone, onStandIn, signal }, index)
      this.#count({ restored: segment.restored, bytes: segment.bytes })
      lost += segment.lost
    }
    if (lost > 0) this.#count({ failed: 1 })
    logger.info('storage: an object was looked at for repair', { object: stored.object.slice(0, 8), lost })
  }

  #count({ restored = 0, bytes = 0, failed = 0 }: Partial<Omit<RepairCounts, 'running'>>): void {
    const before = this.#counts
    this.#counts = {
      restored: before.restored + restored,
      bytes: before.bytes + bytes,
      failed: before.failed + failed,
    }
  }
}
