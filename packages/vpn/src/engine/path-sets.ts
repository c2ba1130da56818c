import type { Clock, Random } from '@weft/core'
import type { LegStatus, LegVerification } from '../vpn.ts'
import type { PathSet } from './path-set.ts'
import { PathSetTimes } from './path-set-times.ts'

export interface PathSetsInit {
  readonly clock: Clock
  readonly random: Random
  /** ms for which new streams take a path set, for each one anew; for ever where it is left out. */
  readonly rotationMs?: () => number
  /** Whether one of its legs begins at a member that streams lead to. */
  readonly isCalled: (set: Pick<PathSet, 'entries'>) => boolean
  /** As {@link PathSetTimes} tells it. */
  readonly onDue: () => void
}

/** Path sets at once, those that are being built or are silent included; and as many that do not meet what is asked any more. */
const MAX_SETS = 6

/** The path sets of one user, and which of them new streams take. */
export class PathSets {
  readonly #init: PathSetsInit
  readonly #times: PathSetTimes
  /** In the order in which they were begun: the first healthy one is in use. */
  #all: readonly PathSet[] = []
  #preferred: PathSet | undefined
  /** Those that begin at a member that streams lead to, since there was no other entry; until there is. */
  readonly #sharing = new Set<PathSet>()
  /** What those that are over have carried. */
  readonly #endedBytes = { sent: 0, received: 0 }

  constructor(init: PathSetsInit) {
    this.#init = init
    this.#times = new PathSetTimes(init)
  }

  /** In the order in which they were begun. */
  get all(): readonly PathSet[] {
    return this.#all
  }

  get isFull(): boolean {
    return this.#all.filter(({ outdated }) => !outdated).length >= MAX_SETS
  }

  /** The one that new streams take: its time begins with that. */
  inUse(): PathSet | undefined {
    const preferred = this.#preferred
    const stands = preferred?.healthy === true && !this.isLeft(preferred)
    const set = stands ? preferred : this.#firstOf(this.#all)
    if (set !== undefined) this.#times.use(set)
    return set
  }

  /** The one in use first. */
  inOrder(): readonly PathSet[] {
    const used = this.inUse()
    return used === undefined ? this.#all : [used, ...this.#all.filter((set) => set !== used)]
  }

  /** Those that new streams could take, now or soon. */
  get fit(): readonly PathSet[] {
    return this.#all.filter((set) => this.isFit(set))
  }

  get preferred(): PathSet | undefined {
    return this.#preferred
  }

  /** Of one there the time is over. */
  get hasStale(): boolean {
    return this.#all.some((set) => this.#times.isStale(set))
  }

  /** Connections over them. */
  get streams(): number {
    return this.#all.reduce((sum, { streams }) => sum + streams, 0)
  }

  /** Bytes of connections that went each way, over those that are gone too: it never falls. */
  get bytes(): { readonly sent: number; readonly received: number } {
    return this.#all.reduce(
      (sum, { bytes }) => ({ sent: sum.sent + bytes.sent, received: sum.received + bytes.received }),
      this.#endedBytes,
    )
  }

  /** Begins to count one that is about to be built. @param shares whether it begins at a member that streams lead to */
  add(set: PathSet, shares: boolean): void {
    this.#all = [...this.#all, set]
    if (shares) this.#sharing.add(set)
    this.#times.begin(set)
  }

  /** It is over. */
  remove(set: PathSet): void {
    this.#all = this.#all.filter((other) => other !== set)
    this.#sharing.delete(set)
    if (set === this.#preferred) this.#preferred = undefined
    this.#times.end(set)
    this.#endedBytes.sent += set.bytes.sent
    this.#endedBytes.received += set.bytes.received
  }

  /** New streams take this one as long as it works and its time is not over. */
  prefer(set: PathSet): void {
    this.#preferred = this.#all.includes(set) ? set : undefined
  }

  /** A stream is about to take this one. */
  use(set: PathSet): void {
    this.#times.use(set)
  }

  /** New streams take others than this one from now on. */
  expire(set: PathSet): void {
    this.#times.expire(set)
  }

  /**
   * What is asked of routes has changed: none of those there takes a new stream, even while there is no other. Those over which something runs go on,
   * as far as there is room; the others end.
   */
  outdate(): void {
    for (const set of this.#all) {
      set.outdate()
      this.expire(set)
    }
    const running = this.#all.filter(({ streams }) => streams > 0)
    const kept = new Set(running.slice(-MAX_SETS))
    for (const set of this.#all) if (!kept.has(set)) set.destroy()
  }

  /** As {@link PathSetTimes.isStale}. */
  isStale(set: PathSet): boolean {
    return this.#times.isStale(set)
  }

  /** What goes over this one is to go over another one: which is ready, or which alone meets what is asked of routes now. */
  isLeft(set: PathSet): boolean {
    return set.outdated || (this.#times.isStale(set) && this.#hasFresh())
  }

  isFit(set: PathSet): boolean {
    return set.promising && !set.outdated && !this.#init.isCalled(set) && !this.#times.isStale(set)
  }

  /** One that is healthy to another exit than this one's. */
  beside({ exit }: PathSet): PathSet | undefined {
    return this.#firstOf(this.#all.filter((set) => set.exit?.id !== exit?.id))
  }

  /** That one more would begin at a member that streams lead to is of use. @param most that are there beside it */
  mayShare(most: number): boolean {
    return [...this.#sharing].filter(({ promising }) => promising).length <= most
  }

  /** There is an entry that nobody is called at: those that begin at one who is are no longer taken. */
  endSharing(): void {
    this.#sharing.clear()
  }

  /** Ends those over which nothing runs and that are of no more use, which takes room from others. @param isGone whether one of its nodes left the map */
  endUseless(isGone: (set: PathSet) => boolean): void {
    for (const set of this.#all) {
      // One that begins at a member that was called meanwhile is of no more use, and takes the place of another.
      const isOfNoUse = this.isLeft(set) || isGone(set) || (this.#init.isCalled(set) && !this.#sharing.has(set))
      if (set.streams === 0 && isOfNoUse) set.destroy()
    }
  }

  /** Of each leg, those of the path set in use first. */
  legs(): LegStatus[] {
    const used = this.inUse()
    return this.inOrder().flatMap((set) => set.status(set === used ? 'active' : 'spare'))
  }

  /** As {@link PathSet.chosen}, the one in use first. */
  chosen(): ReturnType<PathSet['chosen']> {
    const used = this.inUse()
    return this.inOrder().flatMap((set) => set.chosen(set === used ? 'active' : 'spare'))
  }

  /** As {@link PathSet.verify}, the one in use first. */
  async verify(): Promise<Omit<LegVerification, 'use' | 'number'>[]> {
    const used = this.inUse()
    return (await Promise.all(this.inOrder().map((set) => set.verify(set === used ? 'active' : 'spare')))).flat()
  }

  /** Ends all of them. */
  close(): void {
    for (const set of this.#all) set.destroy()
    this.#times.close()
  }

  #firstOf(sets: readonly PathSet[]): PathSet | undefined {
    const healthy = sets.filter((set) => set.healthy && !set.outdated)
    const uncalled = healthy.filter((set) => !this.#init.isCalled(set))
    return (
      uncalled.find((set) => !this.#times.isStale(set)) ?? uncalled[0] ?? healthy.find((set) => this.#sharing.has(set))
    )
  }

  #hasFresh(): boolean {
    return this.#all.some((set) => set.healthy && !set.outdated && !this.#times.isStale(set))
  }
}
