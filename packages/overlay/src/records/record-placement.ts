import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Member, Membership } from '../member.ts'
import { closestMembers } from './closest-members.ts'
import { RECORD_HOLDERS, recordQuorum } from './quorum.ts'
import type { RecordKey } from './record-store.ts'

/** How long a read also covers the holders before a change of the map, ms: re-placement is done by then. */
const OVERLAP = 120_000
/** Earlier maps that are remembered at most; a network that grows by a node every few seconds needs a handful. */
const MAX_EARLIER = 8

/** Some holders, of which `required` make a quorum. */
export interface HolderGroup {
  readonly ids: ReadonlySet<DidKey>
  readonly required: number
  readonly faults: number
}

/** Whom to ask about a key. */
export interface RecordPlan {
  /** The holders by the newest map, nearest first. */
  readonly holders: readonly DidKey[]
  /** Everyone to ask in a read: the holders, and those of earlier maps that may still have what these lack. */
  readonly readers: readonly DidKey[]
  /** The group of the newest map, then the groups of earlier ones. A read has its quorum when each group has one. */
  readonly groups: readonly [HolderGroup, ...HolderGroup[]]
}

/**
 * Computes holders from the signed map, and remembers the maps of the last two minutes: while members come and go, a
 * quorum of the new holders need not meet the quorum that a value was written to, so reads ask both.
 */
export class RecordPlacement {
  readonly #membership: Membership
  readonly #clock: Clock
  #current: readonly Member[]
  /** Newest first, none equal to its neighbour. */
  #earlier: { readonly members: readonly Member[]; readonly until: number }[] = []

  constructor(membership: Membership, clock: Clock) {
    this.#membership = membership
    this.#clock = clock
    this.#current = membership.members()
  }

  plan(key: RecordKey): RecordPlan {
    this.#refresh()
    const newest = this.#group(this.#current, key)
    const groups: [HolderGroup, ...HolderGroup[]] = [newest.group]
    const readers = new Set(newest.ids)
    for (const { members } of this.#earlier) {
      const { ids, group } = this.#group(members, key)
      if (groups.some((other) => sameIds(other.ids, group.ids))) continue
      groups.push(group)
      for (const id of ids) readers.add(id)
    }
    return { holders: newest.ids, readers: [...readers], groups }
  }

  /** The holders by the oldest map remembered, nearest first: whoever is not among them may lack the record. */
  before(key: RecordKey): readonly DidKey[] {
    this.#refresh()
    return this.#group(this.#earlier.at(-1)?.members ?? this.#current, key).ids
  }

  /** Whether this node may be a holder of the key, with room for maps that differ by a few members. */
  nearby(key: RecordKey, id: DidKey): boolean {
    this.#refresh()
    if (this.#current.length <= 2 * RECORD_HOLDERS) return true
    return closestMembers(this.#current, key, 2 * RECORD_HOLDERS).some((member) => member.id === id)
  }

  #group(members: readonly Member[], key: RecordKey): { ids: readonly DidKey[]; group: HolderGroup } {
    const quorum = recordQuorum(members.length)
    const ids = closestMembers(members, key, quorum.holders).map((member) => member.id)
    return { ids, group: { ids: new Set(ids), required: quorum.required, faults: quorum.faults } }
  }

  #refresh(): void {
    const now = this.#clock.now()
    const members = this.#membership.members()
    if (members !== this.#current) {
      // Most maps change nothing but the epoch.
      if (this.#current.length > 0 && !sameMembers(members, this.#current)) {
        this.#earlier.unshift({ members: this.#current, until: now + OVERLAP })
        this.#earlier.length = Math.min(this.#earlier.length, MAX_EARLIER)
      }
      this.#current = members
    }
    if (this.#earlier.length > 0) this.#earlier = this.#earlier.filter(({ until }) => until > now)
  }
}

function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return a.length === b.length && a.every((member, at) => member.id === b[at]?.id)
}

function sameIds(a: ReadonlySet<DidKey>, b: ReadonlySet<DidKey>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
