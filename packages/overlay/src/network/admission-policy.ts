import { type Refusal, distinct, listOf, textOf } from '../codec/strict-values.ts'

/** Ways to be admitted: by the checks alone, or with an invitation or a proof of stake besides. */
export const WAYS = ['open', 'invite', 'stake'] as const
export type AdmissionWay = (typeof WAYS)[number]

/** One way, or several of which each is enough; these in the order of `WAYS`, without `open`. */
export type AdmissionPolicy = AdmissionWay | readonly AdmissionWay[]

/** The ways of a policy; any one of them is enough. */
export function waysOf(policy: AdmissionPolicy): readonly AdmissionWay[] {
  return typeof policy === 'string' ? [policy] : policy
}

/** Reads the key `policy` of a network file (docs/specs/network-file.md, Policy). @throws refusal */
export function policyOf(value: unknown, refuse: Refusal): AdmissionPolicy {
  if (!Array.isArray(value)) return wayOf(value ?? 'open', 'policy', refuse)
  const ways = listOf(value, 'policy', 2, WAYS.length, refuse, (item, path) => wayOf(item, path, refuse))
  distinct(ways, 'policy', refuse)
  if (ways.includes('open')) throw refuse("policy must name 'open' alone: beside it no other way has a meaning")
  // A mix has one form, so that the id of the network does not depend on the order in which it was written.
  return WAYS.filter((way) => ways.includes(way))
}

function wayOf(value: unknown, path: string, refuse: Refusal): AdmissionWay {
  const text = textOf(value, path, /^[a-z]+$/, 16, refuse)
  const way = WAYS.find((known) => known === text)
  if (way === undefined) throw refuse(`${path} must be open, invite or stake, and is '${text}'`)
  return way
}
