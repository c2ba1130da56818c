import type { Clock } from '@weft/core'
import { TokenBucket } from '@weft/onion'

/**
 * Dials a second, and at once. Of one session: more at once than a browser opens that is given back all its pages, and more in a second than
 * one program that asks for one thing after another. Of all: some 140 µs each, a seventh of a core.
 */
const SESSION_PER_SECOND = 256
const SESSION_BURST = 512
const EXIT_PER_SECOND = 1_024
const EXIT_BURST = 1_024
/** Of one session: how long what it asks waits, at most, and how many may. The client waits for 4.4 s in all, and then there is time for another exit. */
const WAIT_MS = 1_500
const MAX_WAITING = 64
/** ms between looks at those that wait. */
const LOOK_MS = 20

/** A dial that waits for its turn. */
interface Waiting {
  readonly go: () => void
  readonly refuse: () => void
  /** Monotonic ms. */
  readonly until: number
}

/** Of one session. */
interface Line {
  readonly bucket: TokenBucket
  /** In the order in which they came; one that was given up is gone. */
  readonly waiting: Set<Waiting>
}

/**
 * When an exit may begin what its clients ask of the outside: at a rate for each session and one for all, of which sessions that wait have
 * turns. What comes too fast waits for a while: refused at once, a client with many connections would lose some whenever others ask much.
 */
export class DialTurns {
  readonly #clock: Clock
  readonly #exit: TokenBucket
  readonly #lines = new WeakMap<object, Line>()
  /** Those with something that waits; whose turn is next stands first. */
  readonly #waiting = new Set<Line>()
  /** The exit's own rate is used up: nobody goes before those that wait. */
  #isShort = false
  #cancelLook: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#exit = new TokenBucket(EXIT_PER_SECOND, EXIT_BURST, clock.monotonic())
  }

  /**
   * Calls `go` within the call, or when it is the session's turn, or else `refuse`.
   * @returns gives up what waits
   */
  take(session: object, go: () => void, refuse: () => void): () => void {
    const line = this.#lineOf(session)
    const now = this.#clock.monotonic()
    const waiting = { go, refuse, until: now + WAIT_MS }
    if (this.#takeNow(line, now)) go()
    else if (line.waiting.size >= MAX_WAITING) refuse()
    else {
      line.waiting.add(waiting)
      this.#waiting.add(line)
      this.#lookLater()
    }
    return () => void line.waiting.delete(waiting)
  }

  close(): void {
    this.#cancelLook?.()
    for (const { waiting } of this.#waiting) waiting.clear()
    this.#waiting.clear()
  }

  #lineOf(session: object): Line {
    let line = this.#lines.get(session)
    if (line === undefined) {
      const bucket = new TokenBucket(SESSION_PER_SECOND, SESSION_BURST, this.#clock.monotonic())
      line = { bucket, waiting: new Set() }
      this.#lines.set(session, line)
    }
    return line
  }

  #takeNow(line: Line, now: number): boolean {
    return line.waiting.size === 0 && !this.#isShort && this.#takeBoth(line, now)
  }

  #takeBoth({ bucket }: Line, now: number): boolean {
    if (!bucket.has(now)) return false
    this.#isShort = !this.#exit.take(now)
    return !this.#isShort && bucket.take(now)
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#clock.after(LOOK_MS, () => {
      this.#cancelLook = undefined
      this.#look()
      if (this.#waiting.size > 0) this.#lookLater()
    })
  }

  #look(): void {
    const now = this.#clock.monotonic()
    for (const line of this.#waiting) this.#refuseLate(line, now)
    this.#isShort = false
    // A line that had its turn stands last, and is met again.
    for (const line of this.#waiting) {
      const [first] = line.waiting
      if (first === undefined) this.#waiting.delete(line)
      else if (this.#takeBoth(line, now)) {
        line.waiting.delete(first)
        this.#waiting.delete(line)
        if (line.waiting.size > 0) this.#waiting.add(line)
        first.go()
      } else if (this.#isShort) return
    }
  }

  #refuseLate({ waiting }: Line, now: number): void {
    for (const one of waiting) {
      if (one.until > now) return
      waiting.delete(one)
      one.refuse()
    }
  }
}
