import { type Clock, type Logger, Semaphore, WeftError, throwIfAborted, wait, withTimeout } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'

export interface AbsencesInit {
  /** One round trip to a node, over a new connection if need be. */
  readonly ping: (id: DidKey, signal: AbortSignal) => Promise<unknown>
  readonly isCertified: (id: DidKey) => boolean
  readonly clock: Clock
  readonly logger: Logger
}

interface Doubt {
  /** On the clock that only goes forward, ms: when it first did not answer. */
  since: number
  failures: number
}

/** ms without an answer after which a member is left out of the map; a restart of a node takes less. */
const ABSENT_MS = 20_000
/** Looks without an answer, at least: one may be lost by the way of this validator. */
const LEAST_FAILURES = 3
/** ms between two looks. */
const LOOK_EVERY_MS = 5_000
/** ms for which an answer stands against reports: whoever reports all the time makes this validator look that often only. */
const BELIEVED_MS = 10_000
/** ms between two looks when nobody is in doubt; a report ends it. */
const IDLE_MS = 600_000
/** ms for an answer. */
const ANSWER_MS = 5_000
/** Looks at once. */
const PARALLEL = 32
/** Members that are in doubt at once, at most: half of the largest network. */
const MAX_DOUBTS = 5_000

/**
 * Which members a validator does not reach (docs/specs/absence.md). What others say is only a reason to look: each
 * validator asks the member itself, again and again, and the first answer ends all doubt.
 */
export class Absences {
  readonly #init: AbsencesInit
  readonly #doubts = new Map<DidKey, Doubt>()
  readonly #left = new Set<DidKey>()
  /** When members that were reported answered: they are not looked for again at once. */
  readonly #answered = new Map<DidKey, number>()
  readonly #slots = new Semaphore(PARALLEL)
  /** Fires when there is somebody to look for. */
  #wake = new AbortController()

  constructor(init: AbsencesInit) {
    this.#init = init
  }

  /** Somebody does not reach these members. */
  report(ids: readonly DidKey[]): void {
    const now = this.#init.clock.monotonic()
    for (const id of ids) {
      const known = this.#doubts.has(id) || this.#left.has(id)
      if (known || now - (this.#answered.get(id) ?? -BELIEVED_MS) < BELIEVED_MS) continue
      if (this.#doubts.size >= MAX_DOUBTS) return
      this.#doubts.set(id, { since: now, failures: 0 })
      this.#wake.abort()
    }
  }

  /** The member said that it leaves. */
  leave(id: DidKey): void {
    this.#left.add(id)
  }

  /** It wants to be in the map again. */
  returned(id: DidKey): void {
    this.#left.delete(id)
  }

  /** Whether a map proposed by this validator leaves it out. */
  isAbsent(id: DidKey): boolean {
    if (this.#left.has(id)) return true
    const doubt = this.#doubts.get(id)
    return (
      doubt !== undefined && doubt.failures >= LEAST_FAILURES && this.#init.clock.monotonic() - doubt.since >= ABSENT_MS
    )
  }

  /** Whether another validator may leave it out: here it did not answer lately either. */
  isDoubted(id: DidKey): boolean {
    return this.#left.has(id) || (this.#doubts.get(id)?.failures ?? 0) > 0
  }

  /** Looks after whom it doubts until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const { clock } = this.#init
    for (;;) {
      throwIfAborted(signal)
      this.#forget()
      const woken = this.#wake.signal
      await Promise.all([...this.#doubts].map(([id, doubt]) => this.#slots.use(() => this.#look(id, doubt, signal))))
      const pause = this.#doubts.size === 0 ? IDLE_MS : LOOK_EVERY_MS
      await wait(clock, pause, AbortSignal.any([signal, woken])).catch(() => {})
      if (woken.aborted) this.#wake = new AbortController()
    }
  }

  #forget(): void {
    const { clock, isCertified } = this.#init
    for (const id of this.#doubts.keys()) if (!isCertified(id)) this.#doubts.delete(id)
    for (const id of this.#left) if (!isCertified(id)) this.#left.delete(id)
    for (const [id, at] of this.#answered) if (clock.monotonic() - at > BELIEVED_MS) this.#answered.delete(id)
  }

  async #look(id: DidKey, doubt: Doubt, signal: AbortSignal): Promise<void> {
    const { ping, clock, logger } = this.#init
    try {
      await withTimeout(
        clock,
        ANSWER_MS,
        signal,
        () => silent(id),
        (inner) => ping(id, inner),
      )
      this.#doubts.delete(id)
      this.#answered.set(id, clock.monotonic())
    } catch {
      if (signal.aborted) return
      doubt.failures++
      if (doubt.failures === LEAST_FAILURES) logger.info('a member does not answer', { node: shortId(id) })
    }
  }
}

function silent(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `${shortId(id)} did not answer within ${ANSWER_MS} ms.`,
    fix: 'Nothing to do: it is asked again.',
    retryable: true,
  })
}
