import type { Clock } from '@weft/core'
import { SessionCode } from '@weft/onion'
import type { ProxyFailure } from '../vpn.ts'
import { targetFault } from './target-fault.ts'

/** What exits told of packets of this machine that their policies refuse: one entry for all, without targets. */
export class RefusedPackets {
  readonly #clock: Pick<Clock, 'now'>
  #count = 0
  #at = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  note(): void {
    this.#count++
    this.#at = this.#clock.now()
  }

  get failures(): readonly ProxyFailure[] {
    if (this.#count === 0) return []
    const { code, fix } = targetFault(SessionCode.policy)
    const cause =
      "The exit's policy refuses the address, port or protocol of IP packets of this machine, or they would begin more flows than it has for one client."
    return [{ code, cause, fix, at: this.#at, count: this.#count }]
  }
}

/** The latest first, as many as are kept. */
export function latestFailures(...all: readonly (readonly ProxyFailure[])[]): readonly ProxyFailure[] {
  return all
    .flat()
    .toSorted((a, b) => b.at - a.at)
    .slice(0, KEPT_FAILURES)
}

export const KEPT_FAILURES = 16
