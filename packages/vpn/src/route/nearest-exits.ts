import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { ExitCredit } from './exit-credit.ts'
import { TargetTimes, type TimedStream } from './target-times.ts'

/** ms, there and back, of a way to a target over one exit. */
export interface MeasuredWay {
  /** From the exit to the target, by its own word. */
  readonly exitMs: number
  /** From this client to the exit, as it measured itself. */
  readonly clientMs: number
}

/** A target's figures. */
interface Known {
  readonly number: number
  /** Undefined while they are being asked for. */
  ways: ReadonlyMap<DidKey, MeasuredWay> | undefined
  readonly times: TargetTimes
  /** Monotonic ms. */
  until: number
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
/**
 * Which exits are near to targets, for routes that share what they know: those of one isolation key. Keeps what exits said of the ways from them,
 * holds it against what streams take that go through them, and leaves out whose word does not fit: at once for the target that shows it, and for all where several do.
 */
export class NearestExits {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Used last: stands last. */
  readonly #targets = new Map<string, Known>()
  readonly #credit: ExitCredit
  #numbered = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.#credit = new ExitCredit(clock)
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
    const until = this.#clock.monotonic() + ASKING_MS
    this.#targets.delete(key)
    this.#targets.set(key, { number: ++this.#numbered, ways: undefined, times: new TargetTimes(), until })
    const [oldest] = this.#targets.keys()
    if (this.#targets.size > MAX_TARGETS && oldest !== undefined) this.#targets.delete(oldest)
  }

  /** They answered, as many as did. Nothing happens where the target made room for others meanwhile. */
  set(host: string, ways: ReadonlyMap<DidKey, MeasuredWay>): void {
    const known = this.#known(host)
    if (known === undefined) return
    known.ways = ways
    known.until = this.#clock.monotonic() + (ways.size < 2 ? UNKNOWN_MS : KNOWN_MS)
    this.#judge(known)
  }

  /**
   * The exits that are near to a target, by ms, for `nearestMs` of PathWishes. Undefined while that is not known: exits are taken as by `auto`.
   * @param without those that do not serve at the moment
   */
  of(host: string, without: ReadonlySet<DidKey> = NOBODY): ReadonlyMap<DidKey, number> | undefined {
    const { ways, times } = this.#known(host) ?? {}
    if (ways === undefined || times === undefined || ways.size < 2) return undefined
    const said = saidOf(ways)
    const scores = [...ways]
      .filter(([exit]) => !without.has(exit) && !this.isDoubted(exit))
      .map(
        ([exit, way]) =>
          [exit, scoreOf(way, Math.max(times.excess(exit, said) ?? 0, this.#credit.penaltyMs(exit)))] as const,
      )
    const least = Math.min(...scores.map(([, ms]) => ms))
    return scores.length === 0 ? undefined : new Map(scores.filter(([, ms]) => ms <= least + NEAR_MS))
  }

  /** A stream to the target went through this exit. */
  learn(host: string, exit: DidKey, timed: TimedStream): void {
    const known = this.#known(host)
    if (known === undefined) return
    known.times.add(exit, timed)
    this.#judge(known)
  }

  /** What this exit says of its ways does not fit what streams through it take: it is not asked. */
  isDoubted(exit: DidKey): boolean {
    return this.#credit.isDoubted(exit)
  }

  #judge({ number, ways = new Map(), times }: Known): void {
    const said = saidOf(ways)
    for (const exit of said.keys()) {
      const excess = times.excess(exit, said)
      if (excess !== undefined) this.#credit.judge(exit, number, excess)
    }
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

function saidOf(ways: ReadonlyMap<DidKey, MeasuredWay>): ReadonlyMap<DidKey, number> {
  return new Map([...ways].map(([exit, { exitMs }]) => [exit, exitMs]))
}

/** By which exits are compared, ms. @param excessMs by how much its word was too good */
function scoreOf({ exitMs, clientMs }: MeasuredWay, excessMs: number): number {
  return Math.max(LEAST_MS, exitMs + excessMs) + CLIENT_PART * clientMs
}

/** Names that are the same to DNS (RFC 4343; RFC 1034, section 3.1). */
function keyOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}
