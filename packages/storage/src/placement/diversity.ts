import { type Member, networkPrefix } from '@weft/overlay'
import type { StorageClass } from '../storage.ts'

/** Ways in which nodes fail together, the strictest rule first; a network too small gives up the last ones first. */
export const DIVERSITY_KINDS = ['subnet', 'family', 'asn', 'region'] as const
export type DiversityKind = (typeof DIVERSITY_KINDS)[number]

/** Shards that may lie in one subnet, family, ASN or region. */
export type DiversityLimits = Readonly<Record<DiversityKind, number>>

/** The rules as written: one a /24 (IPv6: /48), two a family or ASN, and a whole region may go without loss. */
export function strictLimits({ k, n }: StorageClass): DiversityLimits {
  return { subnet: 1, family: 2, asn: 2, region: Math.max(1, Math.floor((n - k) / 2)) }
}

const NAMES = {
  subnet: (group: string) => `the network ${group}`,
  family: (group: string) => `the operator family ${group}`,
  asn: (group: string) => `AS ${group}`,
  region: (group: string) => `the region ${group}`,
} as const satisfies Record<DiversityKind, (group: string) => string>

/** What a member shares with others of its kind. Nodes without a declared family are families of their own. */
export function groupOf(member: Member, kind: DiversityKind): string {
  switch (kind) {
    case 'subnet':
      return networkPrefix(member.diversityAddress)
    case 'family':
      return member.family === '' ? member.id : member.family
    case 'asn':
      return String(member.asn)
    case 'region':
      return member.region
  }
}

/** The rules that a choice of holders does not keep, in words; empty when all hold. */
export function relaxedRules(holders: readonly Member[], stored: StorageClass): string[] {
  const limits = strictLimits(stored)
  return DIVERSITY_KINDS.flatMap((kind) => {
    const counts = Map.groupBy(holders, (member) => groupOf(member, kind))
    return [...counts]
      .filter(([, members]) => members.length > limits[kind])
      .map(
        ([group, members]) =>
          `${members.length} shards of a segment are in ${NAMES[kind](group)}; the rule allows ${limits[kind]}`,
      )
  })
}
