import { type Logger, WeftError, messageOf } from '@weft/core'
import { MAX_SUCCESSION, type Succession, SuccessionSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { decodeMapBody } from '../map/map-body.ts'
import type { Network } from '../network/network.ts'
import { splitEpochs } from './recovery-times.ts'
import { refuseSuccession } from './refuse-succession.ts'
import { verifySuccession } from './succession.ts'
import type { TermStore } from './term-store.ts'

export interface TermsInit {
  readonly network: Network
  readonly store: Pick<TermStore, 'succession' | 'saveSuccession'>
  /** Epoch of the map that is held. */
  readonly heldEpoch: () => number | undefined
  readonly logger: Logger
}

/**
 * The terms that are known, with what proves them. Each is verified before it begins, those of before a restart again. What
 * proves them stays on the disk: of a network of some years it is more than a node should hold.
 */
export class Terms {
  readonly #init: TermsInit
  /** Those that could not be written down. */
  readonly #unsaved = new Map<number, Succession>()

  constructor(init: TermsInit) {
    this.#init = init
    const { network, logger } = init
    try {
      for (;;) {
        const succession = this.#kept(network.term.number + 1)
        if (succession === undefined) break
        network.begin(verifySuccession(network, succession))
      }
    } catch (error) {
      // Of another network file, or damaged: others have it and tell it again.
      logger.warn('a term of before the restart is not used', { cause: messageOf(error) })
    }
  }

  /** By which the term of this number began; undefined for that of the network file. */
  succession(number: number): Succession | undefined {
    // What the disk has behind the newest was not believed.
    return number > this.#init.network.term.number ? undefined : (this.#unsaved.get(number) ?? this.#kept(number))
  }

  #kept(number: number): Succession | undefined {
    const bytes = this.#init.store.succession(number)
    return bytes === undefined ? undefined : decodeMessage(SuccessionSchema, bytes, MAX_SUCCESSION)
  }

  /** Begins the next term. False when it is known already. @throws WeftError E_SUCCESSION and those of `verifySuccession` */
  offer(succession: Succession): boolean {
    const { network, store, logger } = this.#init
    if (succession.number <= network.term.number) return false
    const term = verifySuccession(network, succession)
    this.#refuseSplit(succession)
    try {
      store.saveSuccession(term.number, encodeMessage(SuccessionSchema, succession))
    } catch (error) {
      // It is as good without the file: after a restart it is asked for again.
      logger.warn('a term could not be kept', { code: error instanceof WeftError ? error.code : undefined })
      this.#unsaved.set(term.number, succession)
    }
    network.begin(term)
    logger.info('a new term of validators', { number: term.number, fromEpoch: term.fromEpoch })
    return true
  }

  /**
   * Whoever still has maps of the term, long after the one that the electors were drawn from, knows better than they that
   * its validators are there. Without this the members of any map of long ago could end the term, once they are in one hand.
   */
  #refuseSplit({ anchor }: Succession): void {
    const { network, heldEpoch } = this.#init
    const held = heldEpoch()
    // A handover has no anchor: its validators decided it themselves.
    const epoch = anchor === undefined ? undefined : decodeMapBody(anchor.body).epoch
    if (held === undefined || epoch === undefined || held <= epoch + splitEpochs(network.file)) return
    throw refuseSuccession(`its map is of epoch ${epoch}, and the validators that it replaces signed one of ${held}`)
  }
}
