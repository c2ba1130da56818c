import { type Clock, equalBytes } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Member, Membership } from '../member.ts'
import { closestMembers, stands } from './closest-members.ts'
import type { Placing } from './placing.ts'
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

/** The members of a map, and by what they stand. */
interface Placed {
  readonly members: readonly Member[]
  readonly placing: Placing
  /** Of the members those that stand anywhere. */
  readonly count: number
}

/**
 * Computes holders from the signed map, and remembers the maps of the last two minutes: while members come and go, a
 * quorum of the new holders need not meet the quorum that a value was written to, so reads ask both.
 */
export class RecordPlacement {
  readonly #membership: Membership
  readonly #clock: Clock
  #current: Placed
  /** Newest first, none equal to its neighbour. */
  #earlier: { readonly map: Placed; readonly until: number }[] = []

  constructor(membership: Membership, clock: Clock) {
    this.#membership = membership
    this.#clock = clock
    this.#current = this.#newest()
  }

  plan(key: RecordKey): RecordPlan {
    this.#refresh()
    const newest = this.#group(this.#current, key)
    const groups: [HolderGroup, ...HolderGroup[]] = [newest.group]
    const readers = new Set(newest.ids)
    for (const { map } of this.#earlier) {
      const { ids, group } = this.#group(map, key)
      if (groups.some((other) => sameIds(other.ids, group.ids))) continue
      groups.push(group)
      for (const id of ids) readers.add(id)
    }
    return { holders: newest.ids, readers: [...readers], groups }
  }

  /** The holders by the oldest map remembered, nearest first: whoever is not among them may lack the record. */
  before(key: RecordKey): readonly DidKey[] {
    this.#refresh()
    return this.#group(this.#earlier.at(-1)?.map ?? this.#current, key).ids
  }

  /** Whether this node may be a holder of the key, with room for maps that differ by a few members. */
  nearby(key: RecordKey, id: DidKey): boolean {
    this.#refresh()
    const { members, placing } = this.#current
    if (members.length <= 2 * RECORD_HOLDERS) return true
    return closestMembers(members, key, 2 * RECORD_HOLDERS, placing).some((member) => member.id === id)
  }

  #group({ members, placing, count }: Placed, key: RecordKey): { ids: readonly DidKey[]; group: HolderGroup } {
    const quorum = recordQuorum(count)
    const ids = closestMembers(members, key, quorum.holders, placing).map((member) => member.id)
    return { ids, group: { ids: new Set(ids), required: quorum.required, faults: quorum.faults } }
  }

  #newest(): Placed {
    const members = this.#membership.members()
    const { placing = 'key' } = this.#membership
    return { members, placing, count: members.filter((member) => stands(member, placing)).length }
  }

  #refresh(): void {
    const now = this.#clock.now()
    const current = this.#current
    if (this.#membership.members() !== current.members) {
      this.#current = this.#newest()
      // Most maps change nothing but the epoch.
      if (current.count > 0 && !isSamePlacement(this.#current, current)) {
        this.#earlier.unshift({ map: current, until: now + OVERLAP })
        this.#earlier.length = Math.min(this.#earlier.length, MAX_EARLIER)
      }
    }
    if (this.#earlier.length > 0) this.#earlier = this.#earlier.filter(({ until }) => until > now)
  }
}

/** Whether by two lists of members the same ones hold the same records. */
export function isSamePlacement(
  a: Pick<Placed, 'members' | 'placing'>,
  b: Pick<Placed, 'members' | 'placing'>,
): boolean {
  if (a.placing !== b.placing || a.members.length !== b.members.length) return false
  return a.members.every((member, at) => {
    const other = b.members[at]
    return member === other || (member.id === other?.id && (a.placing === 'key' || isSamePosition(member, other)))
  })
}

function isSamePosition(a: Member, b: Member): boolean {
  if (a.position === undefined || b.position === undefined) return a.position === b.position
  return equalBytes(a.position, b.position)
}

function sameIds(a: ReadonlySet<DidKey>, b: ReadonlySet<DidKey>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
