import { type Clock, type Logger, Semaphore, WeftError, orAborted, wait, withTimeout } from '@weft/core'
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
  /** Looked for out of turn, as it says that it is there. */
  isAsked: boolean
}

/** ms without an answer after which a member is left out of the map; a restart of a node takes less. */
const ABSENT_MS = 20_000
/** Looks without an answer, at least: one may be lost by the way of this validator. */
const LEAST_FAILURES = 3
/** ms from the end of a look to the next; for who is absent twice as long each time, up to the most: it says itself when it is back. */
const LOOK_EVERY_MS = 5_000
const LOOK_MOST_MS = 60_000
/** ms for which an answer stands against reports: whoever reports all the time makes this validator look that often only. */
const BELIEVED_MS = 10_000
/** ms for an answer. */
const ANSWER_MS = 5_000
/** Looks at once for members of whom it is open whether they are there. Half of 10,000 that go within ten minutes need 125; the more, the sooner the rest has a map without them when they go at one moment. */
const PARALLEL = 1_024
/** Looks at once for members that are absent. These never keep the others waiting. */
const PARALLEL_ABSENT = 64
/** Members that are in doubt at once, at most: half of a network of 10,000. */
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
  readonly #absentSlots = new Semaphore(PARALLEL_ABSENT)
  /** Undefined until the looking begins. */
  #signal: AbortSignal | undefined

  constructor(init: AbsencesInit) {
    this.#init = init
  }

  /** Somebody does not reach these members. */
  report(ids: readonly DidKey[]): void {
    const now = this.#init.clock.monotonic()
    for (const [id, at] of this.#answered) if (now - at >= BELIEVED_MS) this.#answered.delete(id)
    for (const id of ids) {
      if (this.#doubts.has(id) || this.#left.has(id) || this.#answered.has(id)) continue
      if (this.#doubts.size >= MAX_DOUBTS) return
      const doubt = { since: now, failures: 0, isAsked: false }
      this.#doubts.set(id, doubt)
      if (this.#signal !== undefined) void this.#watch(id, doubt, this.#signal)
    }
  }

  /** The member said that it leaves. */
  leave(id: DidKey): void {
    for (const other of this.#left) this.#hasLeft(other)
    this.#left.add(id)
  }

  /** It wants to be in the map, and says so itself: if it is in doubt it is looked for now. */
  returned(id: DidKey): void {
    this.#left.delete(id)
    const doubt = this.#doubts.get(id)
    if (doubt !== undefined && this.#signal !== undefined) void this.#lookOutOfTurn(id, doubt, this.#signal)
  }

  /** Whether a map proposed by this validator leaves it out. */
  isAbsent(id: DidKey): boolean {
    if (this.#hasLeft(id)) return true
    const doubt = this.#doubts.get(id)
    return doubt !== undefined && this.#isSilent(doubt)
  }

  #isSilent({ failures, since }: Doubt): boolean {
    return failures >= LEAST_FAILURES && this.#init.clock.monotonic() - since >= ABSENT_MS
  }

  /** Whether another validator may leave it out: here it did not answer lately either. */
  isDoubted(id: DidKey): boolean {
    return this.#hasLeft(id) || (this.#doubts.get(id)?.failures ?? 0) > 0
  }

  /** Until its certificate ends: the next one is that of a node that wants to be in. */
  #hasLeft(id: DidKey): boolean {
    if (!this.#left.has(id)) return false
    if (this.#init.isCertified(id)) return true
    this.#left.delete(id)
    return false
  }

  /** Looks after whom it doubts until the signal fires. @throws WeftError E_ABORTED */
  run(signal: AbortSignal): Promise<never> {
    this.#signal = signal
    for (const [id, doubt] of this.#doubts) void this.#watch(id, doubt, signal)
    return orAborted(Promise.withResolvers<never>().promise, signal)
  }

  /** Looks for one member until it answers or is certified no more. */
  async #watch(id: DidKey, doubt: Doubt, signal: AbortSignal): Promise<void> {
    const { isCertified, clock } = this.#init
    let pauseMs = LOOK_EVERY_MS
    try {
      while (isCertified(id) && this.#doubts.get(id) === doubt) {
        const slots = this.#isSilent(doubt) ? this.#absentSlots : this.#slots
        if (await slots.use(() => this.#answers(id, doubt, signal), signal)) break
        if (this.#isSilent(doubt)) pauseMs = Math.min(LOOK_MOST_MS, 2 * pauseMs)
        await wait(clock, pauseMs, signal)
      }
      this.#settle(id, doubt)
    } catch {
      // The looking has ended.
    }
  }

  async #lookOutOfTurn(id: DidKey, doubt: Doubt, signal: AbortSignal): Promise<void> {
    if (doubt.isAsked) return
    doubt.isAsked = true
    try {
      if (await this.#slots.use(() => this.#answers(id, doubt, signal), signal)) this.#settle(id, doubt)
    } catch {
      // The looking has ended.
    } finally {
      doubt.isAsked = false
    }
  }

  /** It answered, or is certified no more. */
  #settle(id: DidKey, doubt: Doubt): void {
    if (this.#doubts.get(id) === doubt) this.#doubts.delete(id)
  }

  /** One look. @throws WeftError E_ABORTED */
  async #answers(id: DidKey, doubt: Doubt, signal: AbortSignal): Promise<boolean> {
    const { ping, clock, logger } = this.#init
    try {
      await withTimeout(
        clock,
        ANSWER_MS,
        signal,
        () => silent(id),
        (inner) => ping(id, inner),
      )
      this.#answered.set(id, clock.monotonic())
      return true
    } catch (error) {
      if (signal.aborted) throw error
      doubt.failures++
      if (doubt.failures === LEAST_FAILURES) logger.info('a member does not answer', { node: shortId(id) })
      return false
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
