import { randomInt, shuffled } from '@weft/core'
import type { PlannedNode } from './plan-nodes.ts'
import { randomFor } from './seed.ts'

/** Where a node of a devnet is said to be; marked `simulated` wherever it shows. */
export interface SyntheticPlace {
  /** Of 240.0.0.0/4, which is reserved (RFC 1112, section 4): it can be nobody's, and has many /16s. */
  readonly address: string
  /** Of 64512 to 65534, set aside for private use (RFC 6996, section 5). */
  readonly asn: number
  readonly family: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly region: string
}

const REGIONS = [
  { region: 'europe', countries: ['DE', 'FR', 'NL', 'SE', 'PL', 'CH'] },
  { region: 'north-america', countries: ['US', 'CA', 'MX'] },
  { region: 'asia', countries: ['JP', 'SG', 'KR', 'IN'] },
] as const

/** The /16s of 240.0.0.0/4, less those of 255.0.0.0/8. */
const NETWORKS = 15 * 256

/**
 * Gives every member a place of its own, repeatable from the seed: each alone in its /24; validators each of their own
 * family (a quorum of one operator's nodes would be none) and autonomous system, the others in pairs; regions evenly.
 * Storage rules bear at most two shards of one family and of one ASN, and routes one node: pairs put those rules to
 * work. Each operator has a /16 of its own; only the first one without validators and exits, where there is one, stands in
 * that of the first validator, so that the rule of routes for a /16 has something to refuse by itself, and no exit loses
 * one of the few nodes that two legs to it need.
 * Clients are in no map and have no place.
 */
export function syntheticPlaces(seed: string, nodes: readonly PlannedNode[]): ReadonlyMap<string, SyntheticPlace> {
  const members = nodes.filter((node) => !node.client)
  const validators = members.filter((node) => node.roles.includes('validator'))
  const others = members.filter((node) => !node.roles.includes('validator'))
  const random = randomFor(seed, 'places')
  const networks = distinct(members.length, () => randomInt(random, NETWORKS))
  const subnets = distinct(members.length, () => randomInt(random, 256))
  const systems = distinct(members.length, () => 64_512 + randomInt(random, 1_023))
  const regions = shuffled(random, REGIONS)
  const withExit = new Set(others.flatMap(({ roles }, at) => (roles.includes('exit') ? pairOf(at, others) : [])))
  const sharing = others.map((_, at) => pairOf(at, others)).find((pair) => !withExit.has(pair))
  const places = new Map<string, SyntheticPlace>()
  for (const [index, node] of [...validators, ...others].entries()) {
    const pair = index < validators.length ? undefined : pairOf(index - validators.length, others)
    const operator = pair === undefined ? index : validators.length + pair
    const network = networks[pair !== undefined && pair === sharing ? 0 : operator] as number
    const place = regions[index % regions.length] as (typeof REGIONS)[number]
    places.set(node.name, {
      address: `${240 + (network >> 8)}.${network & 255}.${subnets[index]}.${1 + randomInt(random, 254)}`,
      asn: systems[operator] as number,
      family: `family-${operator + 1}`,
      country: place.countries[randomInt(random, place.countries.length)] as string,
      region: place.region,
    })
  }
  return places
}

/** The first and the middle one make a pair, and so on: a node that stores and an exit rather than two of a kind. */
function pairOf(index: number, { length }: readonly PlannedNode[]): number {
  return index % Math.ceil(length / 2)
}

function distinct(count: number, draw: () => number): number[] {
  const drawn = new Set<number>()
  while (drawn.size < count) drawn.add(draw())
  return [...drawn]
}
