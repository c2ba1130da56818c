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
  const counts = new Map<string, number>()
  const chosen: Member[] = []
  for (const member of ordered) {
    const groups = DIVERSITY_KINDS.map((kind) => ({ key: `${kind} ${groupOf(member, kind)}`, limit: limits[kind] }))
    if (groups.some(({ key, limit }) => (counts.get(key) ?? 0) >= limit)) continue
    for (const { key } of groups) counts.set(key, (counts.get(key) ?? 0) + 1)
    chosen.push(member)
    if (chosen.length === n) return chosen
  }
  return undefined
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
