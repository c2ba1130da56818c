import { type Logger, WeftError, messageOf } from '@weft/core'
import { MAX_SUCCESSION, type Succession, SuccessionSchema, decodeMessage, encodeMessage } from '@weft/wire'
import type { Network } from '../network/network.ts'
import { verifySuccession } from './succession.ts'
import type { TermStore } from './term-store.ts'

export interface TermsInit {
  readonly network: Network
  readonly store: TermStore
  readonly logger: Logger
}

/** The terms that are known, with what proves them. Each is verified before it begins, those of before a restart again. */
export class Terms {
  readonly #init: TermsInit
  readonly #successions = new Map<number, Succession>()

  constructor(init: TermsInit) {
    this.#init = init
    const { network, store, logger } = init
    for (const bytes of store.successions()) {
      try {
        const succession = decodeMessage(SuccessionSchema, bytes, MAX_SUCCESSION)
        network.begin(verifySuccession(network, succession))
        this.#successions.set(succession.number, succession)
      } catch (error) {
        // Of another network file, or damaged: others have it and tell it again.
        logger.warn('a term of before the restart is not used', { cause: messageOf(error) })
        break
      }
    }
  }

  /** By which the term of this number began; undefined for that of the network file. */
  succession(number: number): Succession | undefined {
    return this.#successions.get(number)
  }

  /** Begins the next term. False when it is known already. @throws those of `verifySuccession` */
  offer(succession: Succession): boolean {
    const { network, store, logger } = this.#init
    if (succession.number <= network.term.number) return false
    const term = verifySuccession(network, succession)
    try {
      store.saveSuccession(term.number, encodeMessage(SuccessionSchema, succession))
    } catch (error) {
      // It is as good without the file: after a restart it is asked for again.
      logger.warn('a term could not be kept', { code: error instanceof WeftError ? error.code : undefined })
    }
    this.#successions.set(term.number, succession)
    network.begin(term)
    logger.info('a new term of validators', { number: term.number, fromEpoch: term.fromEpoch })
    return true
  }
}
