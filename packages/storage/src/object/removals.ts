import { type Emitter, Semaphore, isWeftError, messageOf, orAborted } from '@weft/core'
import type { ObjectRemoval, OpenPrivate, StorageEvents } from '../storage.ts'
import { notOwn } from './not-own.ts'
import type { ObjectContext } from './object-context.ts'
import type { ObjectIndex } from './object-index.ts'
import { objectRemoved } from './object-records.ts'
import { privateContext } from './private-context.ts'
import { Removing, describeRemoval } from './removing.ts'

/** Removals that are gone on with at once in the background. */
const IN_BACKGROUND = 4
/** Who did not answer is asked again after this long, each time twice as long, at most an hour, ms. */
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 3_600_000
/** Removals in a list. */
const MAX_LISTED = 1_000

export interface RemovalsParts {
  readonly context: ObjectContext
  readonly openPrivate: OpenPrivate | undefined
  readonly index: ObjectIndex
  readonly events: Emitter<StorageEvents>
}

/** One that is not over. */
interface Open {
  readonly removing: Removing
  running: Promise<void> | undefined
  /** Passes that left something to do. */
  passes: number
  cancel: () => void
}

/**
 * The removals of own objects. Each is durable before it does anything, and goes on until all holders said that they
 * deleted the object or its shards are over: at once when it is asked for, in the background for those that were away,
 * and after a restart.
 */
export class Removals {
  readonly #parts: RemovalsParts
  readonly #open = new Map<string, Open>()
  readonly #places = new Semaphore(IN_BACKGROUND)

  constructor(parts: RemovalsParts) {
    this.#parts = parts
    const { index, context } = parts
    index.removals.sweep(context.clock.now())
    for (const record of index.removals.open()) this.#schedule(this.#enter(new Removing(record, this.#write)))
    context.signal.addEventListener('abort', () => {
      for (const { cancel } of this.#open.values()) cancel()
    })
  }

  /** @throws WeftError as Storage.remove */
  async remove(object: string, signal: AbortSignal): Promise<ObjectRemoval> {
    const { context, index } = this.#parts
    const begun = index.beginRemoval(object, context.clock.now())
    if (begun !== undefined) {
      const open = this.#enter(new Removing(begun.record, this.#write))
      this.#tell(open.removing.status)
      // The pass runs whatever becomes of the caller, and waits for the key to be out of the file.
      open.running = index.erase(object, begun.nonce).then(() => this.#pass(open))
      this.#keep(open)
    }
    const open = this.#open.get(object)
    if (open !== undefined) {
      if (open.running === undefined) this.#start(open)
      await orAborted(open.running ?? Promise.resolve(), signal)
    }
    const removal = open?.removing.status ?? this.removal(object)
    if (removal === undefined) throw notOwn(object, 'remove')
    return removal
  }

  removal(object: string): ObjectRemoval | undefined {
    const open = this.#open.get(object)
    if (open !== undefined) return open.removing.status
    const record = this.#parts.index.removals.get(object)
    return record === undefined ? undefined : describeRemoval(record, undefined, new Map())
  }

  list(): readonly ObjectRemoval[] {
    const records = this.#parts.index.removals.list(MAX_LISTED)
    return records.map(
      (record) => this.#open.get(record.object)?.removing.status ?? describeRemoval(record, undefined, new Map()),
    )
  }

  /** @throws WeftError E_OBJECT_REMOVED when this node removed the object */
  refuse(object: string): void {
    const at = this.#parts.index.removals.removedAt(object)
    if (at !== undefined) throw objectRemoved(object, at)
  }

  /** Resolves when nothing is under way; to be awaited after the storage's signal fired. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map(async ({ running }) => running))
  }

  readonly #write = (record: Parameters<ObjectIndex['removals']['write']>[0]): void => {
    this.#parts.index.removals.write(record)
  }

  #enter(removing: Removing): Open {
    const open: Open = { removing, running: undefined, passes: 0, cancel: () => {} }
    this.#open.set(removing.record.object, open)
    return open
  }

  #start(open: Open): void {
    open.cancel()
    open.running = this.#pass(open)
    this.#keep(open)
  }

  /** A failure is noted and not thrown: nobody may be waiting. */
  #keep(open: Open): void {
    const { logger, signal } = this.#parts.context
    open.running = open.running
      ?.catch((error: unknown) => {
        if (signal.aborted) return
        open.removing.failed(error)
        logger.warn('storage: a removal did not get on', { error: messageOf(error) })
      })
      .finally(() => {
        open.running = undefined
        this.#next(open)
      })
  }

  async #pass({ removing }: Open): Promise<void> {
    const { context, openPrivate } = this.#parts
    const { record } = removing
    if (context.clock.now() >= record.expiresAt) return
    const privately = record.private ? await privateContext(context, openPrivate, context.signal) : undefined
    try {
      await removing.pass(privately?.context ?? context)
    } finally {
      await privately?.close()
    }
  }

  #next(open: Open): void {
    const { context } = this.#parts
    if (context.signal.aborted) return
    const { removing } = open
    if (removing.isOver || context.clock.now() >= removing.record.expiresAt) {
      try {
        removing.close()
        this.#open.delete(removing.record.object)
      } catch (error) {
        context.logger.warn('storage: the end of a removal cannot be written down', { error: messageOf(error) })
        this.#schedule(open)
      }
    } else {
      this.#schedule(open)
    }
    this.#tell(removing.status)
  }

  #schedule(open: Open): void {
    const { clock } = this.#parts.context
    const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(open.passes++, 20))
    // Not past the expiry: there its seed goes.
    const ms = Math.max(0, Math.min(pause, open.removing.record.expiresAt - clock.now()))
    open.cancel = clock.after(ms, () => {
      this.#places
        .use(async () => {
          if (open.running === undefined) this.#start(open)
          await open.running
        }, this.#parts.context.signal)
        .catch((error: unknown) => {
          if (!isWeftError(error, 'E_ABORTED')) throw error
        })
    })
  }

  #tell({ object, state, withdrawn, holders }: ObjectRemoval): void {
    const deleted = holders.filter((holder) => holder.state === 'deleted').length
    this.#parts.events.emit('removal', { object, state, withdrawn, holders: holders.length, deleted })
  }
}
