import { randomInt } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type NetworkFile, type OwnPackets, type Role, type RoleMinimum, parseNetworkFile } from '@weft/overlay'
import { randomFor, seedFor } from '../plan/seed.ts'
import { randomFraction } from './random-fraction.ts'
import type { NatKind } from './simulated-nat.ts'
import type { Site } from './site.ts'

/** One member of a simulated network, before it runs. */
export interface PlannedMember {
  /** `v1` … for validators, `n1` … for the others. */
  readonly name: string
  readonly key: SigningKey
  readonly roles: readonly Role[]
  readonly site: Site
  /** The region that it claims; by default that of its site. */
  readonly region: string
  /** Where it listens: a multiaddr. */
  readonly address: string
  /** Of a member that carries packets; no packets are played. */
  readonly packets?: OwnPackets
  readonly family: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly asn: number
}

export interface SimulationPlan {
  readonly file: NetworkFile
  readonly members: readonly PlannedMember[]
}

export interface PlanOptions {
  readonly seed: string
  /** Validators included; at most 65,536. */
  readonly members: number
  readonly validators: number
  readonly mapEpochMs: number
  readonly certificateTtlMs: number
  /** ms */
  readonly recoveryAfterMs: number
  /** ms */
  readonly rotateMs: number | undefined
  /** Members behind the validators that ask for a seat. */
  readonly candidates: number
  /** Part of the members behind the validators that are behind NAT, from 0 to 1; default none. None of these is a relay. */
  readonly behindNat?: number | undefined
  /** What the network asks of roles. */
  readonly minimums?: Readonly<Partial<Record<Role, RoleMinimum>>> | undefined
  /** Changes what a member claims, or where it is. */
  readonly change?: ((member: PlannedMember) => Partial<Pick<PlannedMember, 'region' | 'site' | 'roles'>>) | undefined
}

/** When a simulation begins: ms since the Unix epoch. */
export const BEGIN = 1_800_000_000_000
const PORT = 4_780
/** Of so many members that are no validators one is of the core, on average. */
const CORE_EVERY = 4
const NATS: readonly NatKind[] = ['full-cone', 'restricted', 'symmetric']
const PLACES = [
  { region: 'europe', countries: ['DE', 'FR', 'NL', 'SE', 'PL', 'CH'] },
  { region: 'north-america', countries: ['US', 'CA', 'MX'] },
  { region: 'asia', countries: ['JP', 'SG', 'KR', 'IN'] },
] as const

function rolesOf(isCandidate: boolean, isCore: boolean): readonly Role[] {
  return [...(isCandidate ? (['validator'] as const) : []), 'storage', ...(isCore ? (['relay'] as const) : [])]
}

/**
 * The members of a network and its file, repeatable from the seed. Each has a /24 of 10.0.0.0/8 (RFC 1918) to itself:
 * the file is one of a site with private addresses, in which every rule of admission and of diversity holds as it is
 * written. Validators are of a family and an autonomous system each, the others two by two; regions go round. A quarter of
 * the others, by chance, are relays, and so of the core of the mesh; the rest only store. Routers of those behind NAT are of
 * each kind, by chance.
 */
export function planMembers(options: PlanOptions): SimulationPlan {
  const { seed, members: count, validators, mapEpochMs, certificateTtlMs, recoveryAfterMs } = options
  const { rotateMs, candidates, behindNat = 0, minimums } = options
  const random = randomFor(seed, 'countries')
  const cores = randomFor(seed, 'cores')
  const nats = randomFor(seed, 'nats')
  const members = Array.from({ length: count }, (_, index): PlannedMember => {
    const isValidator = index < validators
    const name = isValidator ? `v${index + 1}` : `n${index + 1 - validators}`
    const operator = isValidator ? index : validators + ((index - validators) >> 1)
    const { region, countries } = PLACES[index % PLACES.length] as (typeof PLACES)[number]
    const isBehindNat = behindNat > 0 && !isValidator && randomFraction(nats) < behindNat
    const isCore = !isValidator && randomInt(cores, CORE_EVERY) === 0 && !isBehindNat
    const host = `10.${index >> 8}.${index & 255}.1`
    const planned: PlannedMember = {
      name,
      key: new SigningKey(seedFor(seed, `node ${name}`)),
      roles: rolesOf(index < validators + candidates, isCore),
      site: { region, address: host, ...(isBehindNat ? { nat: NATS[randomInt(nats, NATS.length)] as NatKind } : {}) },
      region,
      address: `/ip4/${host}/tcp/${PORT}`,
      family: `family-${operator + 1}`,
      country: countries[randomInt(random, countries.length)] as string,
      asn: 64_512 + operator,
    }
    const member = { ...planned, ...options.change?.(planned) }
    return member.roles.includes('relay') ? { ...member, packets: packetsOf(seed, name) } : member
  })
  const file = {
    schemaVersion: 1,
    name: 'simulation',
    mapEpochMs,
    certificateTtlMs,
    recoveryAfterMs,
    ...(rotateMs === undefined ? {} : { rotateMs }),
    createdAt: BEGIN,
    ...(minimums === undefined ? {} : { minimums }),
    validators: members
      .slice(0, validators)
      .map(({ key, address, roles, family }) => ({ id: key.id, addresses: [address], roles, family })),
  }
  return { file: parseNetworkFile(JSON.stringify(file)), members }
}

function packetsOf(seed: string, name: string): OwnPackets {
  return { port: PORT, linkKey: seedFor(seed, `link ${name}`), onionKey: seedFor(seed, `onion ${name}`) }
}
