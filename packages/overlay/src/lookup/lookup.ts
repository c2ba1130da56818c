import type { DidKey } from '@weft/crypto'
import type { Member } from '../member.ts'
import { closestMembers } from '../records/closest-members.ts'
import type { Placing } from '../records/placing.ts'
import { isDoubtful } from './is-doubtful.ts'
import { CLOSEST, type LookupLimits } from './lookup-limits.ts'
import { LookupPath } from './lookup-path.ts'
import type { LookupOutcome } from './lookup-result.ts'

export interface LookupInit {
  /** 32 bytes */
  readonly target: Uint8Array
  /** Members that the signed map has and that stand anywhere. */
  readonly count: number
  /** By what they stand. */
  readonly placing: Placing
  /** Nodes that can be asked before anybody was named, in order; the more of distinct operators, the better. */
  readonly starts: readonly DidKey[]
  /** Never asked. */
  readonly self: DidKey
  readonly limits: LookupLimits
}

/** What to do next. */
export interface LookupStep {
  /** Nodes to ask for the members closest to the target. */
  readonly ask: readonly DidKey[]
  /** When `tick` is to be called if nothing comes before, ms of the monotonic clock; undefined when it is over. */
  readonly wakeAt: number | undefined
}

/**
 * An iterative lookup over paths that share no node (Kademlia, Maymounkov and Mazières 2002, section 2.3; S/Kademlia,
 * Baumgart and Mies 2007, section 4.4), as a machine without input or output: it is told what was answered and when, and says
 * whom to ask. Members come to it proven to be of one signed map; what all paths found counts together, so that a node
 * that leaves members out hides only what nobody else names. Paths are added when the result cannot be right.
 */
export class Lookup {
  readonly #init: LookupInit
  readonly #begun: number
  readonly #paths: LookupPath[] = []
  readonly #taken: Set<DidKey>
  readonly #starts: DidKey[]
  readonly #members = new Map<DidKey, Member>()
  readonly #answers = new Map<DidKey, readonly Member[]>()
  readonly #failed = new Set<DidKey>()
  #questions = 0
  #isOver = false

  /** @param now ms of the monotonic clock, here and below */
  constructor(init: LookupInit, now: number) {
    this.#init = init
    this.#begun = now
    this.#taken = new Set([init.self])
    this.#starts = init.starts.filter((id) => id !== init.self)
    this.#addPaths()
  }

  /** The first questions, or those that time brings. */
  tick(now: number): LookupStep {
    return this.#step(now)
  }

  /**
   * Takes the members that a node named. An answer behind its deadline still counts as what somebody knows, but leads no
   * path on.
   */
  answer(id: DidKey, members: readonly Member[], now: number): LookupStep {
    if (this.#isOver || this.#answers.has(id) || !this.#isAsked(id)) return this.#step(now)
    this.#answers.set(id, members)
    this.#failed.delete(id)
    for (const member of members) this.#members.set(member.id, member)
    const path = this.#paths.find((each) => each.answer(id, members))
    const same = this.#paths.filter((other) => other !== path && path?.agrees(other) === true)
    if (path !== undefined && same.length > 0) for (const each of [path, ...same]) each.settle()
    return this.#step(now)
  }

  /** A node that cannot be reached, refused, or answered what is not true. */
  fail(id: DidKey, now: number): LookupStep {
    if (!this.#answers.has(id) && this.#isAsked(id)) this.#failed.add(id)
    for (const path of this.#paths) path.fail(id)
    return this.#step(now)
  }

  result(): LookupOutcome {
    const { target, count, placing } = this.#init
    const members = this.#closest()
    const namedBy = new Map<DidKey, DidKey[]>(members.map(({ id }) => [id, []]))
    const agreeing: DidKey[] = []
    const differing: DidKey[] = []
    for (const [node, named] of this.#answers) {
      for (const { id } of named) namedBy.get(id)?.push(node)
      const isSame = members.length === named.length && members.every(({ id }, at) => id === named[at]?.id)
      ;(isSame ? agreeing : differing).push(node)
    }
    const doubtful = isDoubtful(members, target, CLOSEST, count, placing)
    const hops = Math.max(0, ...this.#paths.map((path) => path.hops))
    return { members, namedBy, agreeing, differing, failed: [...this.#failed], doubtful, hops }
  }

  #step(now: number): LookupStep {
    const ask: DidKey[] = []
    for (const path of this.#paths) for (const id of path.giveUp(now)) this.#failed.add(id)
    if (!this.#isOver && now - this.#begun < this.#init.limits.totalMs) {
      this.#askOn(now, ask)
      // Nobody left to wait for: if what came cannot be right, others are asked before it is given out.
      while (!this.#isWaited(now) && this.#isWanting() && this.#addPaths()) this.#askOn(now, ask)
      if (this.#isWaited(now)) return { ask, wakeAt: this.#nextDue(now) }
    }
    this.#isOver = true
    return { ask, wakeAt: undefined }
  }

  #askOn(now: number, ask: DidKey[]): void {
    // One each in turn, so that no path takes the nearest nodes of all others.
    for (let isMore = true; isMore;) {
      isMore = false
      for (const path of this.#paths) {
        if (this.#questions >= this.#init.limits.questions || !path.wants(now)) continue
        // Others may say the same any moment, and then it need not go on.
        if (!path.isBeginning && this.#paths.some((other) => other.isBeginning && !other.isSlow(now))) continue
        const id = path.next((other) => this.#taken.has(other)) ?? (path.isBeginning ? this.#nextStart() : undefined)
        if (id === undefined) continue
        this.#questions++
        this.#taken.add(id)
        path.ask(id, now)
        ask.push(id)
        isMore = true
      }
    }
  }

  /** Adds as many paths as there are nodes to begin with, up to the number of a lookup. False for none. */
  #addPaths(): boolean {
    const { target, limits, placing } = this.#init
    const fresh = this.#starts.filter((id) => !this.#taken.has(id)).length
    const count = this.#questions >= limits.questions ? 0 : Math.min(limits.paths, fresh)
    for (let at = 0; at < count; at++) this.#paths.push(new LookupPath(target, limits, placing))
    return count > 0
  }

  #nextStart(): DidKey | undefined {
    for (;;) {
      const id = this.#starts.shift()
      if (id === undefined || !this.#taken.has(id)) return id
    }
  }

  /**
   * Whether there is somebody to wait for. Paths that ask nobody but slow nodes, and have nobody else to ask, are not
   * waited for once three quarters of all have settled: silence does not hold up what the others agree on, and those who
   * are quick to agree on a lie are not as many, but in one lookup of 250 with a quarter hostile, and then beside honest
   * ones that all were slow.
   */
  #isWaited(now: number): boolean {
    const open = this.#open()
    const isMost = 4 * this.#paths.filter((path) => path.isSettled).length >= 3 * this.#paths.length
    return isMost ? open.some((path) => !path.isSlow(now)) : open.length > 0
  }

  #open(): LookupPath[] {
    return this.#paths.filter((path) => !path.isSettled && path.isWaiting)
  }

  #isWanting(): boolean {
    const { target, count, placing } = this.#init
    return isDoubtful(this.#closest(), target, CLOSEST, count, placing)
  }

  #isAsked(id: DidKey): boolean {
    return this.#taken.has(id) && id !== this.#init.self
  }

  #closest(): readonly Member[] {
    return closestMembers([...this.#members.values()], this.#init.target, CLOSEST, this.#init.placing)
  }

  #nextDue(now: number): number {
    return Math.min(this.#begun + this.#init.limits.totalMs, ...this.#open().map((path) => path.nextDue(now)))
  }
}
