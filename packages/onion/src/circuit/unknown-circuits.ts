import { type Clock } from '@weft/core'
import { type CircuitLink, LinkCommand } from './circuit-link.ts'
import { newLinkContent, writeDestroy } from './link-content.ts'
import { CircuitReason } from './reasons.ts'

const WINDOW_MS = 1000

/** Tells a neighbour that a circuit id is not known here, so that it stops sending; at most so many a second a link. */
export class UnknownCircuits {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #perSecond: number
  readonly #content = newLinkContent()
  readonly #windows = new WeakMap<CircuitLink, { since: number; count: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  answer(link: CircuitLink, circuitId: number): void {
    const now = this.#clock.monotonic()
    let window = this.#windows.get(link)
    if (window === undefined || now - window.since >= WINDOW_MS) {
      window = { since: now, count: 0 }
      this.#windows.set(link, window)
    }
    if (window.count >= this.#perSecond) return
    window.count++
    link.sendMessage(LinkCommand.destroy, circuitId, writeDestroy(this.#content, CircuitReason.unknownCircuit))
  }
}
