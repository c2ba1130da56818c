import { randomInt, shuffled } from '@weft/core'
import type { PlannedNode } from './plan-nodes.ts'
import { randomFor } from './seed.ts'

/** Where a node of a devnet is said to be; marked `simulated` wherever it shows. */
export interface SyntheticPlace {
  /** Of 198.18.0.0/15, which RFC 2544 sets aside for benchmarks: it can be nobody's. */
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

/** Storage rules bear at most two shards of one family and of one ASN; pairs put those rules to work. */
const SHARE = 2

/**
 * Gives every member a place of its own, repeatable from the seed: each alone in its /24; validators each of their own
 * family (a quorum of one operator's nodes would be none) and autonomous system, the others in pairs; regions evenly.
 * Clients are in no map and have no place.
 */
export function syntheticPlaces(seed: string, nodes: readonly PlannedNode[]): ReadonlyMap<string, SyntheticPlace> {
  const members = nodes.filter((node) => !node.client)
  const validators = members.filter((node) => node.roles.includes('validator'))
  const others = members.filter((node) => !node.roles.includes('validator'))
  const random = randomFor(seed, 'places')
  const subnets = distinct(members.length, () => randomInt(random, 512))
  const systems = distinct(members.length, () => 64_512 + randomInt(random, 1_023))
  const regions = shuffled(random, REGIONS)
  const places = new Map<string, SyntheticPlace>()
  for (const [index, node] of [...validators, ...others].entries()) {
    const operator =
      index < validators.length ? index : validators.length + Math.floor((index - validators.length) / SHARE)
    const place = regions[index % regions.length] as (typeof REGIONS)[number]
    const subnet = subnets[index] as number
    places.set(node.name, {
      address: `198.${18 + (subnet >> 8)}.${subnet & 255}.${1 + randomInt(random, 254)}`,
      asn: systems[operator] as number,
      family: `family-${operator + 1}`,
      country: place.countries[randomInt(random, place.countries.length)] as string,
      region: place.region,
    })
  }
  return places
}

function distinct(count: number, draw: () => number): number[] {
  const drawn = new Set<number>()
  while (drawn.size < count) drawn.add(draw())
  return [...drawn]
}
