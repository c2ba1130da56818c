import {
  type Clock,
  type Fault,
  type Logger,
  type Random,
  WeftError,
  isWeftError,
  messageOf,
  throwIfAborted,
  utf8,
} from '@weft/core'
import type { RecordStore } from '@weft/overlay'
import type { Catalog } from './catalog.ts'
import { EntryReader, type LogKeys, type Operation, WRITER_SIZE, toPieces } from './log-entry.ts'
import type { LogState } from './log-table.ts'

const SALT = utf8('log')
/** A position is written once. */
const SEQUENCE = 1
/** What the network did not take is sent again after this long, each time twice as long, ms. */
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 300_000
/** Times that a machine tries to write behind all that there is. */
const TAKE_OVERS = 3

export interface CatalogLogParts {
  readonly catalog: Catalog
  readonly keys: LogKeys
  readonly records: Pick<RecordStore, 'putMutable' | 'getMutable'>
  /** Makes the objects that an operation from another machine names this machine's own. */
  readonly adopt: (operation: Operation) => void
  /** ms that a record may live at most. */
  readonly lifetime: () => number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Fires when the storage closes. */
  readonly signal: AbortSignal
}

/**
 * The log of the catalog in the network: every change is in it before it is acknowledged, while the network takes it. A
 * position has one value, so that of two machines with one person's key the second one to write it is refused.
 */
export class CatalogLog {
  readonly #parts: CatalogLogParts
  #state: LogState
  #fault: Fault | undefined
  #checked = false
  #running: Promise<void> | undefined
  /** The number of the last operation that is in the network. */
  #carried: number
  /** Resolves when a round is over, whether the network took it or not. */
  #round = Promise.withResolvers<void>()
  #failures = 0
  #cancel = (): void => {}

  constructor(parts: CatalogLogParts) {
    this.#parts = parts
    const { catalog, random, signal } = parts
    this.#state = catalog.log.state() ?? { position: 0, writer: random.bytes(WRITER_SIZE), taken: false }
    const waiting = catalog.log.waiting()
    this.#carried = waiting.length > 0 || catalog.log.outbox().length > 0 ? -1 : catalog.log.last
    signal.addEventListener('abort', () => this.#cancel(), { once: true })
    if (this.#carried < 0) this.#start()
  }

  /** Why changes are not in the network; undefined while they are. */
  get fault(): Fault | undefined {
    return this.#state.taken ? OTHER_WRITER : this.#fault
  }

  /** Whether this machine knows up to where it has seen the log: an older state of it is refused then. */
  get isKnown(): boolean {
    return this.#parts.catalog.log.state() !== undefined
  }

  /**
   * To be awaited before the first look at the catalog that a change rests on: whether another machine wrote since.
   * @throws WeftError E_CATALOG_WRITER
   */
  async ready(): Promise<void> {
    if (
      !this.#checked &&
      !this.#state.taken &&
      this.#fault === undefined &&
      this.#parts.catalog.log.outbox().length === 0
    ) {
      try {
        await this.#read(this.#state.position)
        if (this.#parts.catalog.log.outbox().length === 0 && !this.#checked) this.#take()
      } catch (error) {
        throwIfAborted(this.#parts.signal)
        // Nobody wrote there; or nobody can tell, and then the next entry will.
        this.#checked ||= isWeftError(error, 'E_RECORD_NOT_FOUND')
      }
    }
    this.requireWriter()
  }

  /** @throws WeftError E_CATALOG_WRITER */
  requireWriter(): void {
    if (this.#state.taken) throw new WeftError(OTHER_WRITER)
  }

  /**
   * Resolves when the operations made so far are in the network, or are known not to get there now.
   * @throws WeftError E_CATALOG_WRITER
   */
  async carried(): Promise<void> {
    const last = this.#parts.catalog.log.last
    while (this.#carried < last) {
      throwIfAborted(this.#parts.signal)
      const { promise } = this.#round
      if (this.#fault !== undefined && this.#running === undefined) return
      this.#start()
      await promise
      this.requireWriter()
      if (this.#fault !== undefined) return
    }
  }

  /**
   * Makes this machine the one that writes: what is in the network takes the place of what is here.
   * @throws WeftError E_CATALOG_WRITER when another one goes on writing, E_RECORD_UNAVAILABLE
   */
  async takeOver(): Promise<void> {
    const { catalog, random, keys, signal } = this.#parts
    this.#cancel()
    await this.#running
    for (let attempt = 0; attempt < TAKE_OVERS; attempt++) {
      const position = await this.#readAll(() => {})
      const writer = random.bytes(WRITER_SIZE)
      const [mark] = toPieces([], writer).map((piece) => keys.seal(position, piece, random))
      try {
        await this.#write(position, mark as Uint8Array)
      } catch (error) {
        throwIfAborted(signal)
        if (isWeftError(error, 'E_RECORD_CONFLICT')) continue
        throw error
      }
      const state = { position: position + 1, writer, taken: false }
      // Until all is here it may not write: killed in between it has to take over again.
      this.#state = { ...state, taken: true }
      await catalog.restart(this.#state)
      await this.#readAll((operations) => {
        for (const operation of operations) {
          this.#parts.adopt(operation)
          catalog.replay(operation)
        }
      }, position)
      catalog.together(() => catalog.log.writeState(state))
      this.#state = state
      this.#checked = true
      this.#fault = undefined
      this.#carried = catalog.log.last
      return
    }
    throw new WeftError(OTHER_WRITER)
  }

  /** Resolves when nothing is under way, after the signal fired. */
  async settled(): Promise<void> {
    await this.#running
  }

  #start(): void {
    this.#cancel()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      const { resolve } = this.#round
      this.#round = Promise.withResolvers()
      resolve()
    })
  }

  async #run(): Promise<void> {
    const { catalog, logger, signal } = this.#parts
    try {
      for (;;) {
        const last = catalog.log.last
        if (catalog.log.outbox().length === 0 && !this.#pack()) {
          this.#carried = last
          this.#fault = undefined
          this.#failures = 0
          return
        }
        for (const { position, value } of catalog.log.outbox()) {
          await this.#write(position, value)
          catalog.log.sent(position)
        }
        this.#checked = true
      }
    } catch (error) {
      if (signal.aborted) return
      if (isWeftError(error, 'E_RECORD_CONFLICT')) {
        this.#take()
        return
      }
      logger.warn('storage: the catalog does not reach the network', { error: messageOf(error) })
      this.#fault = notCarried(messageOf(error))
      const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10))
      this.#cancel = this.#parts.clock.after(pause, () => this.#start())
    }
  }

  /** Makes an entry of what waits. False when nothing does. */
  #pack(): boolean {
    const { catalog, keys, random } = this.#parts
    const waiting = catalog.log.waiting()
    const last = waiting.at(-1)
    if (last === undefined) return false
    const { position, writer } = this.#state
    const operations = waiting.map(({ operation }) => operation)
    const pieces = toPieces(operations, writer).map((piece, at) => keys.seal(position + at, piece, random))
    catalog.together(() => catalog.log.pack(last.id, pieces, this.#state))
    this.#state = { ...this.#state, position: position + pieces.length }
    return true
  }

  #take(): void {
    const taken = { ...this.#state, taken: true }
    this.#parts.catalog.together(() => this.#parts.catalog.log.writeState(taken))
    this.#state = taken
    this.#parts.logger.warn('storage: another machine with this person key writes the catalog', {
      code: 'E_CATALOG_WRITER',
    })
  }

  /** @returns the first position at which there is nothing, `end` at most. */
  async #readAll(onEntry: (operations: readonly Operation[]) => void, end = Infinity): Promise<number> {
    const reader = new EntryReader()
    for (let position = 0; position < end; position++) {
      let value: Uint8Array
      try {
        value = await this.#read(position)
      } catch (error) {
        if (!isWeftError(error, 'E_RECORD_NOT_FOUND')) throw error
        // What this machine has seen is not unseen: fewer entries than that are an older state of the network.
        const { position: seen } = this.#parts.catalog.log.state() ?? { position: 0 }
        const unsent = this.#parts.catalog.log.outbox().length
        if (position < seen - unsent) throw rolledBack(position, seen - unsent)
        return position
      }
      const operations = reader.next(this.#parts.keys.open(position, value))
      if (operations !== undefined) onEntry(operations)
    }
    return end
  }

  async #read(position: number): Promise<Uint8Array> {
    const { records, keys, signal } = this.#parts
    const { publicKey } = keys.owner(position)
    return (await records.getMutable(publicKey, SALT, { signal })).value
  }

  async #write(position: number, value: Uint8Array): Promise<void> {
    const { records, keys, signal, clock, lifetime } = this.#parts
    const expiresAt = clock.now() + lifetime()
    await records.putMutable(
      { owner: keys.owner(position), salt: SALT, sequence: SEQUENCE, expiresAt, value },
      { signal },
    )
  }
}

const OTHER_WRITER: Fault = {
  code: 'E_CATALOG_WRITER',
  cause:
    'Another machine with the same person key wrote the catalog of named objects; this one may only read what it has.',
  fix: 'Use the other machine; or take over here with `weft s3 takeover`, which gives up what only this machine has written.',
}

function notCarried(why: string): Fault {
  return {
    code: 'E_CATALOG_LOCAL',
    cause: `The newest changes of named objects are on this machine only, because the network does not take them: ${why}`,
    fix: 'Nothing is lost while this machine is there; they are sent again as soon as enough record holders answer (`weft members`).',
  }
}

function rolledBack(found: number, seen: number): WeftError {
  return new WeftError({
    code: 'E_CATALOG_ROLLBACK',
    cause: `The network shows ${found} entries of the catalog; this machine has seen ${seen}.`,
    fix: 'Try again when more members are reachable; an older state is not taken for the newest.',
    retryable: true,
  })
}
