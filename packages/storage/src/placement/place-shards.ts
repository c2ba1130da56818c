import type { Member } from '@weft/overlay'
import type { StorageClass } from '../storage.ts'
import {
  DIVERSITY_KINDS,
  type DiversityKind,
  type DiversityLimits,
  groupOf,
  relaxedRules,
  strictLimits,
} from './diversity.ts'
import { byRendezvous } from './rendezvous.ts'

export interface Placement {
  /** n distinct members in order of preference. */
  readonly holders: readonly Member[]
  /** Rules that the network was too small for, in words. */
  readonly relaxed: readonly string[]
}

/**
 * Chooses n holders for an object: its preferred ones that keep the diversity rules, one shard each. Where there are
 * too few, the rule for regions is relaxed step by step, then ASN, family and subnet; never that of distinct nodes.
 * @param candidates storage members that can be reached. @returns undefined when there are fewer than n.
 */
export function placeShards(
  object: Uint8Array,
  stored: StorageClass,
  candidates: readonly Member[],
): Placement | undefined {
  if (candidates.length < stored.n) return undefined
  const preferred = byRendezvous(object, candidates)
  for (const limits of relaxing(strictLimits(stored), stored.n)) {
    const holders = choose(preferred, stored.n, limits) ?? choose(rarestFirst(preferred), stored.n, limits)
    if (holders !== undefined) return { holders, relaxed: relaxedRules(holders, stored) }
  }
  return undefined
}

/**
 * Who takes the place of a holder that fell out: the candidate that the object prefers and that keeps the rules beside
 * those that stay. Where none does, the rules are relaxed in the same order as for the choice of all.
 * @param staying holders of the other shards. @returns undefined when no candidate is left beside them.
 */
export function nextHolder(
  object: Uint8Array,
  stored: StorageClass,
  staying: readonly Member[],
  candidates: readonly Member[],
): Member | undefined {
  const taken = new Set(staying.map(({ id }) => id))
  const preferred = byRendezvous(
    object,
    candidates.filter(({ id }) => !taken.has(id)),
  )
  for (const limits of relaxing(strictLimits(stored), stored.n)) {
    const counts = new GroupCounts(limits)
    for (const member of staying) counts.add(member)
    const member = preferred.find((one) => counts.hasRoom(one))
    if (member !== undefined) return member
  }
  return undefined
}

/** The rules as written, then looser ones; the last lets everything through. */
function* relaxing(strict: DiversityLimits, n: number): Generator<DiversityLimits> {
  let limits = strict
  yield limits
  for (const kind of DIVERSITY_KINDS.toReversed()) {
    while (limits[kind] < n) {
      limits = { ...limits, [kind]: limits[kind] + 1 }
      yield limits
    }
  }
}

function choose(ordered: readonly Member[], n: number, limits: DiversityLimits): Member[] | undefined {
  const counts = new GroupCounts(limits)
  const chosen: Member[] = []
  for (const member of ordered) {
    if (!counts.hasRoom(member)) continue
    counts.add(member)
    chosen.push(member)
    if (chosen.length === n) return chosen
  }
  return undefined
}

/** How many of the chosen share a subnet, family, ASN or region. */
class GroupCounts {
  readonly #limits: DiversityLimits
  readonly #counts = new Map<string, number>()

  constructor(limits: DiversityLimits) {
    this.#limits = limits
  }

  hasRoom(member: Member): boolean {
    return DIVERSITY_KINDS.every((kind) => this.#count(member, kind) < this.#limits[kind])
  }

  add(member: Member): void {
    for (const kind of DIVERSITY_KINDS) {
      this.#counts.set(`${kind} ${groupOf(member, kind)}`, this.#count(member, kind) + 1)
    }
  }

  #count(member: Member, kind: DiversityKind): number {
    return this.#counts.get(`${kind} ${groupOf(member, kind)}`) ?? 0
  }
}

/** Members of small groups first: they conflict least, so this finds choices that the preferred order cannot see. */
function rarestFirst(members: readonly Member[]): Member[] {
  const sizes = new Map<DiversityKind, Map<string, Member[]>>()
  for (const kind of DIVERSITY_KINDS)
    sizes.set(
      kind,
      Map.groupBy(members, (member) => groupOf(member, kind)),
    )
  const crowd = (member: Member): number =>
    Math.max(...DIVERSITY_KINDS.map((kind) => sizes.get(kind)?.get(groupOf(member, kind))?.length ?? 0))
  return members
    .map((member) => ({ member, crowd: crowd(member) }))
    .sort((a, b) => a.crowd - b.crowd)
    .map(({ member }) => member)
}
