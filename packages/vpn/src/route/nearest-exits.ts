import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'

/** ms, there and back, of a way to a target over one exit. */
export interface MeasuredWay {
  /** From the exit to the target, by its own word. */
  readonly exitMs: number
  /** From this client to the exit, as it measured itself. */
  readonly clientMs: number
}

/** A target's figures. */
interface Known {
  /** Undefined while they are being asked for. */
  ways: ReadonlyMap<DidKey, MeasuredWay> | undefined
  /** ms that answers took at least beyond the exit that they came through. */
  readonly beyondMs: Map<DidKey, number>
  /** Monotonic ms. */
  until: number
}

/** Answers through one exit that could be compared with others'. */
interface Record {
  judged: number
  late: number
  /** Monotonic ms. */
  readonly until: number
}

/** Targets that are kept; the one that was used longest ago makes room. */
const MAX_TARGETS = 128
const KNOWN_MS = 30 * 60_000
/** The same of one that fewer than two exits told a time of: there is nothing to choose. */
const UNKNOWN_MS = 5 * 60_000
/** ms in which exits are asked, other targets before this one included. */
const ASKING_MS = 10 * 60_000
/** Exits that are this much farther than the nearest count as near, ms. */
const NEAR_MS = 10
/** Whoever says less is no nearer: it may stand beside the target, or just say so. */
const LEAST_MS = 1
/**
 * What the way to the exit counts. Whole it would count for nothing that matters: over every exit on the straight line to the target the sum is the same. A part leaves out those
 * that lie off the line.
 */
const CLIENT_PART = 1 / 4
/** Exits of which a time beyond them is kept for each target. */
const MAX_SEEN = 8
/** An answer that took this much longer than it would if the exit's word was true is late, ms; and so many, half of all or more, are a lie. */
const LATE_MS = 25
const LATE_AT_LEAST = 3
const DOUBTED_MS = 24 * 60 * 60_000
const MAX_RECORDS = 256

/**
 * Which exits are near to targets, for routes that share what they know: those of one isolation key. Keeps what exits said of the ways from them,
 * holds it against how long answers take that come through them, and leaves out whose word does not fit.
 */
export class NearestExits {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Used last: stands last. */
  readonly #targets = new Map<string, Known>()
  readonly #records = new Map<DidKey, Record>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  get size(): number {
    return this.#targets.size
  }

  /** Nothing is to be asked for: exits were, or are being. */
  has(host: string): boolean {
    return this.#known(host) !== undefined
  }

  /** Exits are asked from now on. */
  begin(host: string): void {
    const key = keyOf(host)
    this.#targets.delete(key)
    this.#targets.set(key, { ways: undefined, beyondMs: new Map(), until: this.#clock.monotonic() + ASKING_MS })
    const [oldest] = this.#targets.keys()
    if (this.#targets.size > MAX_TARGETS && oldest !== undefined) this.#targets.delete(oldest)
  }

  /** They answered, as many as did. Nothing happens where the target made room for others meanwhile. */
  set(host: string, ways: ReadonlyMap<DidKey, MeasuredWay>): void {
    const known = this.#known(host)
    if (known === undefined) return
    known.ways = ways
    known.until = this.#clock.monotonic() + (ways.size < 2 ? UNKNOWN_MS : KNOWN_MS)
  }

  /**
   * The exits that are near to a target, by ms, for `nearestMs` of PathWishes. Undefined while that is not known: exits are taken as by `auto`.
   * @param without those that do not serve at the moment
   */
  of(host: string, without: ReadonlySet<DidKey> = NOBODY): ReadonlyMap<DidKey, number> | undefined {
    const ways = this.#known(host)?.ways
    if (ways === undefined || ways.size < 2) return undefined
    const scores = [...ways]
      .filter(([exit]) => !without.has(exit) && !this.isDoubted(exit))
      .map(([exit, way]) => [exit, scoreOf(way)] as const)
    const least = Math.min(...scores.map(([, ms]) => ms))
    return scores.length === 0 ? undefined : new Map(scores.filter(([, ms]) => ms <= least + NEAR_MS))
  }

  /**
   * An answer of the target came through this exit.
   * @param answerMs from when the question was handed to the session until the answer came from it
   * @param clientMs there and back to the exit by the session's own measure at that time
   */
  learn(host: string, exit: DidKey, answerMs: number, clientMs: number): void {
    const known = this.#known(host)
    const ms = Math.max(0, answerMs - clientMs)
    if (known === undefined || !(ms < Infinity)) return
    const { beyondMs } = known
    if (!beyondMs.has(exit) && beyondMs.size >= MAX_SEEN) return
    beyondMs.set(exit, Math.min(ms, beyondMs.get(exit) ?? Infinity))
    this.#judge(known, exit, ms)
  }

  /** What this exit says of its ways does not fit how long answers take: it is not asked. */
  isDoubted(exit: DidKey): boolean {
    const record = this.#recordOf(exit)
    return record !== undefined && record.late >= LATE_AT_LEAST && 2 * record.late >= record.judged
  }

  /** The target itself takes its time, too: as long as it took through others at the least. */
  #judge({ ways, beyondMs }: Known, exit: DidKey, ms: number): void {
    const said = ways?.get(exit)?.exitMs
    if (said === undefined) return
    const thought = [...beyondMs].flatMap(([other, beyond]) => {
      const way = ways?.get(other)
      return other === exit || way === undefined ? [] : Math.max(0, beyond - way.exitMs)
    })
    // Through no other anything came: there is nothing to hold it against.
    if (thought.length === 0) return
    const record = this.#recordOf(exit) ?? { judged: 0, late: 0, until: this.#clock.monotonic() + DOUBTED_MS }
    record.judged++
    if (ms - said - Math.min(...thought) > LATE_MS) record.late++
    this.#records.delete(exit)
    this.#records.set(exit, record)
    const [oldest] = this.#records.keys()
    if (this.#records.size > MAX_RECORDS && oldest !== undefined) this.#records.delete(oldest)
  }

  #recordOf(exit: DidKey): Record | undefined {
    const record = this.#records.get(exit)
    if (record !== undefined && record.until > this.#clock.monotonic()) return record
    this.#records.delete(exit)
    return undefined
  }

  #known(host: string): Known | undefined {
    const key = keyOf(host)
    const known = this.#targets.get(key)
    this.#targets.delete(key)
    if (known === undefined || known.until <= this.#clock.monotonic()) return undefined
    this.#targets.set(key, known)
    return known
  }
}

const NOBODY: ReadonlySet<DidKey> = new Set()

/** By which exits are compared, ms. */
function scoreOf({ exitMs, clientMs }: MeasuredWay): number {
  return Math.max(LEAST_MS, exitMs) + CLIENT_PART * clientMs
}

/** Names that are the same to DNS (RFC 4343; RFC 1034, section 3.1). */
function keyOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}
