import { compareBytes } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Member } from '../member.ts'
import { closestMembers, distanceOf } from '../records/closest-members.ts'
import type { Placing } from '../records/placing.ts'
import { CLOSEST, type LookupLimits } from './lookup-limits.ts'

/** A question under way. */
interface Asked {
  /** ms of the monotonic clock */
  readonly at: number
  readonly hop: number
}

interface Candidate {
  readonly id: DidKey
  readonly distance: Uint8Array
}

/**
 * One way towards the target. It begins with a node that the caller knows and goes on with the nearest of those that its
 * own answers named: what the nodes of another path say never leads it (S/Kademlia, Baumgart and Mies 2007, section 4.4).
 * It ends when a node names nobody who is nearer than those whom the nodes before it named, when another path came to the
 * same, or when nobody is left to ask.
 */
export class LookupPath {
  readonly #target: Uint8Array
  readonly #limits: LookupLimits
  readonly #placing: Placing
  readonly #asked = new Map<DidKey, Asked>()
  readonly #named = new Map<DidKey, Member>()
  #closest: readonly Member[] = []
  /** Nearest first. */
  readonly #shortlist: Candidate[] = []
  #questions = 0
  #answers = 0
  #isSettled = false
  hops = 0

  constructor(target: Uint8Array, limits: LookupLimits, placing: Placing) {
    this.#placing = placing
    this.#target = target
    this.#limits = limits
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Whether nobody answered yet: it needs a node to begin with. */
  get isBeginning(): boolean {
    return this.#answers === 0
  }

  /** Whether it waits for somebody. */
  get isWaiting(): boolean {
    return this.#asked.size > 0
  }

  /** Whether it should ask one more node now: it waits for nobody, or only for slow ones. */
  wants(now: number): boolean {
    if (this.#isSettled || this.#questions >= this.#limits.perPath) return false
    return this.isSlow(now) && this.#asked.size < this.#limits.parallel
  }

  /** Whether nobody whom it waits for was asked just now. */
  isSlow(now: number): boolean {
    return this.#asked.values().every(({ at }) => now - at >= this.#limits.patienceMs)
  }

  /** The nearest node that this path was told of and that nobody asked. */
  next(isTaken: (id: DidKey) => boolean): DidKey | undefined {
    while (this.#shortlist.length > 0) {
      const [first] = this.#shortlist.splice(0, 1) as [Candidate]
      if (!isTaken(first.id)) return first.id
    }
    return undefined
  }

  ask(id: DidKey, now: number): void {
    this.#questions++
    this.#asked.set(id, { at: now, hop: this.#answers + 1 })
  }

  /** Whether another path came to the same members, from other nodes. */
  agrees(other: LookupPath): boolean {
    const { length } = this.#closest
    return (
      length > 0 &&
      length === other.#closest.length &&
      this.#closest.every(({ id }, at) => id === other.#closest[at]?.id)
    )
  }

  settle(): void {
    this.#isSettled = true
  }

  /** Takes an answer of a node that it waits for. False when it does not. */
  answer(id: DidKey, members: readonly Member[]): boolean {
    const asked = this.#asked.get(id)
    if (asked === undefined) return false
    this.#asked.delete(id)
    for (const member of members) if (!this.#named.has(member.id)) this.#note(member)
    const closest = closestMembers([...this.#named.values()], this.#target, CLOSEST, this.#placing)
    const isSame =
      closest.length === this.#closest.length && closest.every((member, at) => member === this.#closest[at])
    this.#closest = closest
    this.#answers++
    this.hops = Math.max(this.hops, asked.hop)
    if (isSame) this.#isSettled = true
    return true
  }

  /** Gives up a node that it waits for. False when it does not. */
  fail(id: DidKey): boolean {
    return this.#asked.delete(id)
  }

  /** Gives up the nodes that were silent for too long, and tells who they are. */
  giveUp(now: number): DidKey[] {
    const silent = [...this.#asked].flatMap(([id, { at }]) => (now - at >= this.#limits.deadlineMs ? [id] : []))
    for (const id of silent) this.#asked.delete(id)
    return silent
  }

  /** When something is to be done though nothing comes, ms of the monotonic clock. */
  nextDue(now: number): number {
    const { patienceMs, deadlineMs } = this.#limits
    return Math.min(
      ...this.#asked.values().map(({ at }) => (at + patienceMs > now ? at + patienceMs : at + deadlineMs)),
    )
  }

  #note(member: Member): void {
    const { id } = member
    this.#named.set(id, member)
    const distance = distanceOf(member, this.#target, this.#placing)
    const behind = this.#shortlist.findIndex((other) => compareBytes(distance, other.distance) < 0)
    this.#shortlist.splice(behind === -1 ? this.#shortlist.length : behind, 0, { id, distance })
    this.#shortlist.length = Math.min(this.#shortlist.length, this.#limits.shortlist)
  }
}
