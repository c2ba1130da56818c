/** ms without a word from the exit, while one is due, after which other legs are tried; and after which a leg is given up. */
export const SUSPECT_MS = 600
export const DEAD_MS = 5_000
/** The same where the overlay cannot reach one of the hops either, ms. */
const DEAD_UNREACHABLE_MS = 1_500
/** ms between questions which hop it is, while nothing comes back; and between pings of all hops, whatever comes. */
export const PLACE_SILENCE_MS = 500
export const PING_EVERY_MS = 10_000
/** ms between looks while something is open or due. */
export const LOOK_MS = 100
/** A look that comes so much later than it should, ms: this thread was held up, and what came meanwhile is not read yet. */
export const HELD_UP_MS = 300
/** ms of silence after which a leg with open streams is asked for a sign; doubled while it only answers that. */
const PROBE_FIRST_MS = 300
const PROBE_MOST_MS = 15_000
/** ms without an answer after which the exit is asked once more: question or answer may be lost. */
const ASK_AGAIN_MS = 250

/** Whether a leg that is ready is silent, by when something came and since when something should. All times are monotonic ms. */
export class LegSilence {
  /** The last word from the exit, and since when one is due. */
  #heardAt = 0
  #dueSince: number | undefined
  #isSuspect = false
  #probeAfter = PROBE_FIRST_MS
  /** The exit was asked for a sign, and nothing has come since; when. */
  #isAsked = false
  #askedAt = 0
  #lookedAt = 0

  /** Nothing came back for a while although something should. */
  get isSuspect(): boolean {
    return this.#isSuspect
  }

  /** ms for which nothing came although something should. */
  silentMs(now: number): number {
    return this.#dueSince === undefined ? 0 : now - Math.max(this.#dueSince, this.#heardAt)
  }

  /** Something is to come. */
  get isDue(): boolean {
    return this.#dueSince !== undefined
  }

  /** Something was written that wants an answer. */
  expect(now: number): void {
    this.#dueSince ??= now
  }

  /** The exit was asked for a sign. */
  asked(now: number): void {
    this.#isAsked = true
    this.#askedAt = now
  }

  /** Something came. @returns whether it was suspect, and is so no more */
  heard(now: number): boolean {
    this.#heardAt = now
    this.#dueSince = undefined
    this.#isAsked = false
    if (!this.#isSuspect) return false
    this.#isSuspect = false
    return true
  }

  /** What came was more than an answer to a question. */
  heardContent(): void {
    this.#probeAfter = PROBE_FIRST_MS
  }

  /** @returns whether it was none before */
  suspect(): boolean {
    if (this.#isSuspect) return false
    this.#isSuspect = true
    return true
  }

  /** The exit is to be asked for a sign now. A download that stops leaves nothing of ours unanswered: it is asked while streams are open. */
  wantsSign(now: number, streams: number): boolean {
    if (streams > 0 && !this.#isAsked && now - this.#heardAt > this.#probeAfter) {
      this.#probeAfter = Math.min(PROBE_MOST_MS, 2 * this.#probeAfter)
      return true
    }
    return this.#isAsked && now - this.#askedAt >= ASK_AGAIN_MS
  }

  /**
   * @param inFlight packets that wait for an answer
   * @param isUnreachable whether the overlay cannot reach one of the hops either
   * @param openMs how long the exit's answer takes, while one is out to a question that was none of {@link asked}
   */
  look(now: number, inFlight: number, isUnreachable: boolean, openMs?: number): 'heard' | 'suspect' | 'dead' {
    // Nobody is called silent for what this thread did not hear.
    if (this.#dueSince !== undefined && now - Math.max(this.#lookedAt, this.#dueSince) > LOOK_MS + HELD_UP_MS)
      this.#dueSince = now
    this.#lookedAt = now
    if (this.#isAsked || inFlight > 0) this.#dueSince ??= now
    // What is asked of a leg that is far away and at rest has its round trip first.
    else if (openMs !== undefined) this.#dueSince ??= now + openMs
    else this.#dueSince = undefined
    const silent = this.silentMs(now)
    if (silent > (isUnreachable ? DEAD_UNREACHABLE_MS : DEAD_MS)) return 'dead'
    return silent > SUSPECT_MS ? 'suspect' : 'heard'
  }
}
