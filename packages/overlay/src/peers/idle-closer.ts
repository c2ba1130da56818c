import { type Clock, type Logger, messageOf, wait } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Transport } from '../transport/transport.ts'

export interface IdleCloserInit {
  readonly transport: Pick<Transport, 'unused' | 'disconnect'>
  /** Whether this node keeps a connection to a node. */
  readonly keeps: (id: DidKey) => boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** ms without use after which a connection that was made for a call is closed, and between two looks. */
export const IDLE_MS = 30_000
const LOOK_EVERY_MS = 15_000

/**
 * Closes what nobody keeps and nobody uses any more: connections that this node made for a call, and those to neighbours
 * of earlier maps. Whoever dialled closes, so that a client keeps those that it has to members, who do not know of that.
 */
export class IdleCloser {
  readonly #init: IdleCloserInit

  constructor(init: IdleCloserInit) {
    this.#init = init
  }

  /** Goes on until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      await wait(this.#init.clock, LOOK_EVERY_MS, signal)
      await Promise.all(this.#idle().map((id) => this.#close(id)))
    }
  }

  #idle(): DidKey[] {
    const { transport, keeps } = this.#init
    return transport.unused(IDLE_MS).filter((id) => !keeps(id))
  }

  async #close(id: DidKey): Promise<void> {
    const { transport, logger } = this.#init
    try {
      await transport.disconnect(id)
    } catch (error) {
      logger.debug('an idle connection could not be closed', { peer: shortId(id), error: messageOf(error) })
    }
  }
}
