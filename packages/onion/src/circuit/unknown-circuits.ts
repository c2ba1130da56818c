import { type Clock } from '@weft/core'
import { LinkCommand } from '../link/link-command.ts'
import { TokenBucket } from '../token-bucket.ts'
import { type CircuitLink } from './circuit-link.ts'
import { newLinkContent, writeDestroy } from './link-content.ts'
import { CircuitReason } from './reasons.ts'

/** Tells a neighbour that a circuit id is not known here, so that it stops sending; at most so many a second a link. */
export class UnknownCircuits {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #perSecond: number
  readonly #content = newLinkContent()
  readonly #answers = new WeakMap<CircuitLink, TokenBucket>()

  constructor(clock: Pick<Clock, 'monotonic'>, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  answer(link: CircuitLink, circuitId: number): void {
    const now = this.#clock.monotonic()
    let answers = this.#answers.get(link)
    if (answers === undefined) {
      answers = new TokenBucket(this.#perSecond, this.#perSecond, now)
      this.#answers.set(link, answers)
    }
    if (!answers.take(now)) return
    link.sendMessage(LinkCommand.destroy, circuitId, writeDestroy(this.#content, CircuitReason.unknownCircuit))
  }
}
