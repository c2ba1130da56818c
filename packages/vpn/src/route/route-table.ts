import type { DidKey } from '@weft/crypto'
import { REGIONS, regionOf } from './regions.ts'
import type { RouteMember } from './route-member.ts'

/** Bits of {@link RouteTable.roles}. */
export const ENTRY = 1
export const RELAY = 2
export const EXIT = 4

/**
 * The members of one map as a choice looks at them: families, networks, AS and countries as small numbers, so that a choice among 10,000 compares
 * no text. Made once for each map.
 */
export class RouteTable {
  readonly members: readonly RouteMember[]
  /** Theirs, by their place: for what is kept longer than the members. */
  readonly ids: readonly DidKey[]
  /** {@link ENTRY}, {@link RELAY}, {@link EXIT}, by member. */
  readonly roles: Uint8Array
  /** By member, numbers from 1; 0 where it has none. */
  readonly family: Int32Array
  readonly asn: Int32Array
  readonly prefix: Int32Array
  readonly country: Int32Array
  /** By member: its place in `REGIONS`. */
  readonly region: Uint8Array
  /** Each that a member is in. */
  readonly regions: readonly number[]
  /** How many numbers `family`, `asn` and `prefix` have, 0 counted. */
  readonly families: number
  readonly systems: number
  readonly prefixes: number
  readonly #index = new Map<DidKey, number>()
  readonly #countries = new Map<string, number>()
  readonly #byRole = new Map<number, Int32Array>()

  constructor(members: readonly RouteMember[]) {
    const { length } = members
    this.members = members
    this.ids = members.map(({ id }) => id)
    this.roles = new Uint8Array(length)
    this.family = new Int32Array(length)
    this.asn = new Int32Array(length)
    this.prefix = new Int32Array(length)
    this.country = new Int32Array(length)
    this.region = new Uint8Array(length)
    const families = new Map<string, number>()
    const systems = new Map<number, number>()
    const prefixes = new Map<string, number>()
    for (const [at, { id, roles, family, asn, prefix, country }] of members.entries()) {
      this.#index.set(id, at)
      this.roles[at] =
        (roles.includes('entry') ? ENTRY : 0) |
        (roles.includes('relay') ? RELAY : 0) |
        (roles.includes('exit') ? EXIT : 0)
      this.family[at] = family === '' ? 0 : numberOf(families, family)
      this.asn[at] = asn === 0 ? 0 : numberOf(systems, asn)
      this.prefix[at] = numberOf(prefixes, prefix)
      this.country[at] = numberOf(this.#countries, country)
      this.region[at] = REGIONS.indexOf(regionOf(country))
    }
    this.regions = [...new Set(this.region)]
    this.families = families.size + 1
    this.systems = systems.size + 1
    this.prefixes = prefixes.size + 1
  }

  get size(): number {
    return this.members.length
  }

  indexOf(id: DidKey): number | undefined {
    return this.#index.get(id)
  }

  /** As in `country`; 0 for one where no member is. */
  countryNumber(country: string): number {
    return this.#countries.get(country) ?? 0
  }

  /** Members that have one of these roles. @param roles bits */
  withRole(roles: number): Int32Array {
    const known = this.#byRole.get(roles)
    if (known !== undefined) return known
    const found = Int32Array.from(this.roles.keys().filter((at) => ((this.roles[at] as number) & roles) !== 0))
    this.#byRole.set(roles, found)
    return found
  }
}

function numberOf<T>(numbers: Map<T, number>, value: T): number {
  const known = numbers.get(value)
  if (known !== undefined) return known
  numbers.set(value, numbers.size + 1)
  return numbers.size
}
