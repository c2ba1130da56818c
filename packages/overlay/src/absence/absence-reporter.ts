import { type Clock, type Random, messageOf, randomInt, type Logger } from '@weft/core'
import { type DidKey, fromDidKey, shortId } from '@weft/crypto'
import type { Membership } from '../member.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'

export interface AbsenceReporterInit {
  readonly network: Network
  readonly self: DidKey
  readonly membership: Pick<Membership, 'isMember'>
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Keys in one report (weft.v1.AbsenceReportRequest). */
export const MAX_REPORTED = 64
/** ms within which what is noticed is told, at random: all neighbours notice it at once. */
const WITHIN_MS = 2_000

/** Tells the validators which members this node has lost. */
export class AbsenceReporter {
  readonly #init: AbsenceReporterInit
  readonly #lost = new Set<DidKey>()
  #cancel: (() => void) | undefined

  constructor(init: AbsenceReporterInit) {
    this.#init = init
  }

  /** A member cannot be reached any more. */
  lost(id: DidKey, signal: AbortSignal): void {
    const { clock, random } = this.#init
    if (signal.aborted) return
    this.#lost.add(id)
    this.#cancel ??= clock.after(randomInt(random, WITHIN_MS), () => {
      this.#cancel = undefined
      void this.#tell(signal)
    })
  }

  /** It is back before anybody was told. */
  found(id: DidKey): void {
    this.#lost.delete(id)
  }

  stop(): void {
    this.#cancel?.()
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { network, self, membership, rpc, logger } = this.#init
    if (signal.aborted) return
    const all = membership.isMember(self) ? [...this.#lost].filter((id) => membership.isMember(id)) : []
    const members = all.slice(0, MAX_REPORTED)
    this.#lost.clear()
    for (const id of all.slice(MAX_REPORTED)) this.lost(id, signal)
    if (members.length === 0) return
    const request = { members: members.map((id) => fromDidKey(id)) }
    const lost = new Set(members)
    const validators = network.validators.map(({ id }) => id).filter((id) => id !== self && !lost.has(id))
    await Promise.all(
      validators.map((id) =>
        rpc.call(id, 'absence.report', request, { signal }).catch((error: unknown) => {
          if (!signal.aborted)
            logger.debug('an absence was not reported', { validator: shortId(id), error: messageOf(error) })
        }),
      ),
    )
  }
}
