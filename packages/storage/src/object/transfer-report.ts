import { type Clock, type Emitter, type Fault, type Random, toHex, toWeftError } from '@weft/core'
import type { StorageEvents, TransferProgress } from '../storage.ts'

/** Events of a running transfer are this far apart at least, ms: four a second. */
const INTERVAL_MS = 250

type TransferEvent = StorageEvents['transfer']

export interface TransferReportInit {
  readonly emitter: Emitter<StorageEvents>
  readonly clock: Clock
  readonly random: Random
  readonly kind: TransferEvent['kind']
  readonly object: string
  /** Bytes, where known. */
  readonly total: number | undefined
}

/** Tells listeners about one transfer: at once that it runs, then now and then, and always how it ended. */
export class TransferReport {
  readonly #emitter: Emitter<StorageEvents>
  readonly #clock: Clock
  readonly #base: Pick<TransferEvent, 'id' | 'kind' | 'object'>
  #progress: TransferProgress
  #reportedAt: number
  #over = false

  constructor({ emitter, clock, random, kind, object, total }: TransferReportInit) {
    this.#emitter = emitter
    this.#clock = clock
    this.#base = { id: toHex(random.bytes(8)), kind, object }
    this.#progress = { bytes: 0, total }
    this.#reportedAt = clock.monotonic()
    this.#emit('running', undefined)
  }

  update(progress: TransferProgress): void {
    this.#progress = progress
    const now = this.#clock.monotonic()
    if (this.#over || now - this.#reportedAt < INTERVAL_MS) return
    this.#reportedAt = now
    this.#emit('running', undefined)
  }

  done(): void {
    this.#end('done', undefined)
  }

  failed(error: unknown): void {
    const { code, cause, fix } = toWeftError(error, UNKNOWN)
    this.#end('failed', { code, cause, fix })
  }

  /** Ends as failed unless it ended otherwise. */
  abandoned(): void {
    this.#end('failed', ABANDONED)
  }

  #end(state: 'done' | 'failed', fault: Fault | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#emit(state, fault)
  }

  #emit(state: TransferEvent['state'], fault: Fault | undefined): void {
    this.#emitter.emit('transfer', { ...this.#base, ...this.#progress, state, fault })
  }
}

const ABANDONED: Fault = {
  code: 'E_ABORTED',
  cause: 'The reader stopped before the end.',
  fix: 'Start it again if that was not intended.',
}

const UNKNOWN: Fault = {
  code: 'E_INTERNAL',
  cause: 'The transfer ended in an unexpected way.',
  fix: 'Look into the log of the daemon, and report it to the project with those lines.',
}
