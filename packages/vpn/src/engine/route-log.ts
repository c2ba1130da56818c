import type { Clock } from '@weft/core'
import type { RouteEvent } from '../vpn.ts'

/** As it is told to the log, which knows the time. */
export type ToldEvent = Omit<RouteEvent, 'at'>

const MOST = 32
/** ms in which a move that is told once more in the same words is not news: legs that are silent by turns. */
const SAME_MOVE_MS = 10_000

/** What happened to the routes of one user, the newest first. */
export class RouteLog {
  readonly #clock: Clock
  readonly #onEvent: ((event: RouteEvent) => void) | undefined
  #events: readonly RouteEvent[] = []

  constructor(clock: Clock, onEvent: ((event: RouteEvent) => void) | undefined) {
    this.#clock = clock
    this.#onEvent = onEvent
  }

  get events(): readonly RouteEvent[] {
    return this.#events
  }

  tell(told: ToldEvent): void {
    const at = this.#clock.now()
    const isSame = (event: RouteEvent): boolean => event.kind === 'moved' && event.cause === told.cause
    const before = told.kind === 'moved' ? this.#events.find(isSame) : undefined
    if (before !== undefined && Math.abs(at - before.at) < SAME_MOVE_MS) return
    const event = { at, ...told }
    this.#events = [event, ...this.#events.slice(0, MOST - 1)]
    this.#onEvent?.(event)
  }
}
