import type { DidKey } from '@weft/crypto'

/** What one stream over an exit took, all in ms. */
export interface TimedStream {
  /**
   * connect: from when the session was asked for the stream until the exit said that it is connected; answer: from when the question was handed to the session
   * until the target's answer came from it.
   */
  readonly kind: 'connect' | 'answer'
  readonly tookMs: number
  /** There and back to the exit by the session's own measure at that time, and how far that varies. */
  readonly clientMs: number
  readonly variationMs: number
}

/** Exits of which times are kept for each target, and times of each: the latest. */
const MAX_EXITS = 8
const MAX_TIMES = 5
/** What a target's answer took longer than it should is a lie beyond this, ms. */
const LATE_MS = 25
/** The same of a connection, before which an exit may look the name up anew or have others wait for their turn, ms. */
const LATE_CONNECT_MS = 100
/** Times the variation that a time may be off; and the most that it is taken to be, ms: an exit could make it vary. */
const VARIATIONS = 2
const MOST_SLACK_MS = 50

/** ms beyond the exit: a time, less and plus what it may be off. */
interface Beyond {
  readonly least: number
  readonly most: number
}

/** How long streams to one target took beyond the exits that they went through, as this client measured. */
export class TargetTimes {
  readonly #times: Readonly<Record<TimedStream['kind'], Map<DidKey, readonly Beyond[]>>> = {
    connect: new Map(),
    answer: new Map(),
  }

  /** What is no time changes nothing. */
  add(exit: DidKey, { kind, tookMs, clientMs, variationMs }: TimedStream): void {
    const ms = tookMs - clientMs
    const slack = Math.min(MOST_SLACK_MS, VARIATIONS * variationMs)
    if (!Number.isFinite(ms) || !(slack >= 0)) return
    const times = this.#times[kind]
    const before = times.get(exit)
    if (before === undefined && times.size >= MAX_EXITS) return
    times.set(exit, [...(before ?? []), { least: ms - slack, most: ms + slack }].slice(-MAX_TIMES))
  }

  /**
   * By how much an exit's word is too good, ms: 0 for one that fits, undefined while that cannot be told. What a target thinks before it answers is the least that it did through
   * others; to a connection its system answers at once.
   * @param said ms to the target by the word of each exit that was asked
   */
  excess(exit: DidKey, said: ReadonlyMap<DidKey, number>): number | undefined {
    const own = said.get(exit)
    if (own === undefined) return undefined
    const thought = this.#thought(exit, said)
    const connect = beyond(this.#middle('connect', exit)?.least, own, LATE_CONNECT_MS)
    const answer =
      thought === undefined ? undefined : beyond(this.#middle('answer', exit)?.least, own + thought, LATE_MS)
    return connect === undefined && answer === undefined ? undefined : Math.max(connect ?? 0, answer ?? 0)
  }

  /** ms; undefined where through no other exit that was asked anything came. */
  #thought(exit: DidKey, said: ReadonlyMap<DidKey, number>): number | undefined {
    const through = this.#times.answer.keys().flatMap((other) => {
      const ms = said.get(other)
      const middle = this.#middle('answer', other)
      return other === exit || ms === undefined || middle === undefined ? [] : [Math.max(0, middle.most - ms)]
    })
    const least = Math.min(...through)
    return least === Infinity ? undefined : least
  }

  /** The middle one, or the lesser of two. */
  #middle(kind: TimedStream['kind'], exit: DidKey): Beyond | undefined {
    const times = this.#times[kind].get(exit) ?? []
    return times.toSorted((a, b) => a.least - b.least)[(times.length - 1) >> 1]
  }
}

/** 0 for what is not later than it may be. */
function beyond(ms: number | undefined, expected: number, tolerance: number): number | undefined {
  if (ms === undefined) return undefined
  return ms - expected > tolerance ? ms - expected : 0
}
