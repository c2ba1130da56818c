import { VirtualClock } from '@weft/core'

/** A clock whose thread can be held up: time goes by, and what falls due meanwhile comes late. */
export class HoldableClock extends VirtualClock {
  #held = 0

  override monotonic(): number {
    return super.monotonic() + this.#held
  }

  holdUp(ms: number): void {
    this.#held += ms
  }
}
