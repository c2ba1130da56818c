import type { Clock } from '@weft/core'
import { Alarm } from './alarm.ts'
import { PING_EVERY_MS, PLACE_SILENCE_MS, SUSPECT_MS } from './leg-silence.ts'

export interface TierQuestionsInit {
  readonly clock: Clock
  /** Whether hops are to be asked what they counted, by what went over the circuit. */
  isDue(now: number): boolean
  /** Asks them. */
  count(): void
  /** Asks all hops for a sign of life; the exit alone. */
  ping(): void
  pingExit(): void
  /** Something was asked. */
  onAsked(): void
}

/** ms between looks whether something is to be asked. */
const LOOK_MS = 250
/** ms without an answer of the exit after which it is asked once more. */
const ASK_AGAIN_MS = 500

/**
 * When a leg with a tier asks its hops: at times that follow from the cells of its circuit, which whoever watches the link to the entry sees anyhow, and from answers to
 * such questions. Never from what is open or waits in it: questions are no padding to the entry, so that they would tell the even times that are for something from those that cover.
 */
export class TierQuestions {
  readonly #init: TierQuestionsInit
  readonly #alarm: Alarm
  #lookAt = 0
  #pingAt = 0
  #askedAt = 0
  #countedAt = 0
  #openSince: number | undefined

  constructor(init: TierQuestionsInit) {
    this.#init = init
    this.#alarm = new Alarm(init.clock, () => this.#look())
  }

  /** The circuit is ready. */
  begin(): void {
    this.#lookAt = this.#init.clock.monotonic()
    this.#look()
  }

  /** Since when a question to the exit has had no answer, monotonic ms; undefined while none is out. */
  get openSince(): number | undefined {
    return this.#openSince
  }

  /** The exit answered a question; what a session says is no answer here. */
  answered(): void {
    this.#openSince = undefined
  }

  /** Asks the exit for a sign of life, for a reason that lies outside of the circuit. */
  askExit(): void {
    this.#ask(this.#init.clock.monotonic(), () => this.#init.pingExit())
  }

  close(): void {
    this.#alarm.clear()
  }

  #look(): void {
    const now = this.#init.clock.monotonic()
    // The exit's last answer is what counts, whatever is asked in this look.
    const openMs = this.#openSince === undefined ? undefined : now - this.#openSince
    const isPlacing = openMs !== undefined && openMs >= SUSPECT_MS && now - this.#countedAt >= PLACE_SILENCE_MS
    if (now >= this.#pingAt) {
      this.#pingAt = now + PING_EVERY_MS
      this.#ask(now, () => this.#init.ping())
    }
    if (isPlacing || this.#init.isDue(now)) {
      this.#countedAt = now
      this.#ask(now, () => this.#init.count())
    }
    if (openMs !== undefined && now - this.#askedAt >= ASK_AGAIN_MS) this.askExit()
    this.#lookAt = Math.max(now, this.#lookAt + LOOK_MS)
    this.#alarm.set(this.#lookAt)
  }

  #ask(now: number, ask: () => void): void {
    this.#openSince ??= now
    this.#askedAt = now
    ask()
    this.#init.onAsked()
  }
}
