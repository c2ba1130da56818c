import { type Clock, type Logger, WeftError, messageOf, throwIfAborted, withTimeout } from '@weft/core'
import type { Membership } from '../member.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { FoundHolders, HolderFinder } from '../records/holder-finder.ts'
import type { LookupService } from './lookup-service.ts'

export interface RecordFinderInit {
  readonly lookups: Pick<LookupService, 'find'>
  readonly membership: Pick<Membership, 'status'>
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Finds holders of records by lookups. A lookup that gave no newer map than the own one is not repeated in the same
 * epoch: while no quorum signs maps every node has an old one, and all of them compute the same holders.
 */
export class RecordFinder implements HolderFinder {
  readonly #init: RecordFinderInit
  /** The epoch in which a lookup was in vain. */
  #vainEpoch: number | undefined

  constructor(init: RecordFinderInit) {
    this.#init = init
  }

  isNeeded(): boolean {
    const code = this.#init.membership.status().fault?.code
    return (code === 'E_MAP_NONE' || code === 'E_MAP_STALE') && !this.#isVain()
  }

  async find(key: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<FoundHolders | undefined> {
    const { lookups, membership, clock, logger } = this.#init
    if (this.#isVain()) return undefined
    try {
      const found = await withTimeout(
        clock,
        timeoutMs,
        signal,
        () => tooSlow(timeoutMs),
        (lasting) => lookups.find(key, lasting),
      )
      const { epoch } = membership.status()
      if (epoch === undefined || found.epoch > epoch) return found
      this.#vainEpoch = this.#epoch()
    } catch (error) {
      throwIfAborted(signal)
      logger.debug('the holders of a record were not found', {
        code: error instanceof WeftError ? error.code : undefined,
        error: messageOf(error),
      })
    }
    return undefined
  }

  #isVain(): boolean {
    return this.#vainEpoch === this.#epoch()
  }

  #epoch(): number {
    return epochAt(this.#init.network.file, this.#init.clock.now())
  }
}

function tooSlow(ms: number): WeftError {
  return new WeftError({
    code: 'E_LOOKUP_FAILED',
    cause: `The members closest to a key were not found within ${ms} ms.`,
    fix: 'Try again when more nodes are reachable (`weft peers`); look at the network with `weft check`.',
    retryable: true,
  })
}
