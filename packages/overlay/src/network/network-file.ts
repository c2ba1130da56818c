import { WeftError, messageOf, canonicalHost, isLoopback } from '@weft/core'
import { type DidKey, isDidKey } from '@weft/crypto'
import { type Refusal, distinct, integerOf, listOf, objectOf, textOf, timeOf } from '../codec/strict-values.ts'
import { ROLES, type Role } from '../member.ts'
import { nodeAddressOf, parseNodeAddress } from './node-address.ts'
import { type AdmissionPolicy, policyOf, waysOf } from './admission-policy.ts'
import { COUNTRY, FAMILY, MAX_ADDRESSES, MAX_ASN, REGION } from './place.ts'
import { type RoleMinimums, minimumsOf } from './role-minimums.ts'
import { MAX_SEATS } from './quorum.ts'

/** A validator that the network began with; the only nodes that are known without a challenge. */
export interface GenesisValidator {
  readonly id: DidKey
  /** Where it listens, `/ip4/…/tcp/…`; 1 to 8. */
  readonly addresses: readonly string[]
  /** What else it does beside `validator`. */
  readonly roles: readonly Role[]
  readonly family: string
}

/** The place that a devnet's file invents for a node, so that diversity rules are exercised as written. */
export interface SimulatedPlace {
  /** IPv4 or IPv6 literal. */
  readonly address: string
  readonly asn: number
  readonly family: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly region: string
}

/** What makes a network (docs/specs/network-file.md). Plain JSON data: `JSON.stringify` writes it. */
export interface NetworkFile {
  readonly schemaVersion: 1
  readonly name: string
  readonly validators: readonly GenesisValidator[]
  readonly policy: AdmissionPolicy
  /** Whose invitations count, beside a policy with `invite` only; without it those of each validator. */
  readonly inviters?: readonly DidKey[]
  /** Who may attest the energy of members. */
  readonly attesters?: readonly DidKey[]
  /** What nodes must have for a role. */
  readonly minimums?: RoleMinimums
  /** ms */
  readonly mapEpochMs: number
  /** ms; at least a map epoch. */
  readonly auditEpochMs: number
  /** ms; at least an audit epoch. */
  readonly rewardEpochMs: number
  /** ms without a signed map after which members may seat other validators (docs/specs/terms.md); three map epochs to seven days. */
  readonly recoveryAfterMs: number
  readonly committeeSize: number
  /** Validators that there shall be: those of the file at least, as many as a committee has at most. */
  readonly seats: number
  /** ms after which some of the seats are drawn anew from all who ask for one; 16 map epochs and a minute at least; absent where they never are. */
  readonly rotateMs?: number
  /** ms */
  readonly certificateTtlMs: number
  /** ms */
  readonly clockToleranceMs: number
  /** ms since the Unix epoch: when map epoch 0 begins. */
  readonly createdAt: number
  /** Present in a devnet only: by did:key. */
  readonly simulated?: Readonly<Record<DidKey, SimulatedPlace>>
}

/** Bytes of text; 10,000 simulated places take less than half of it. */
export const MAX_NETWORK_FILE = 4 * 1024 * 1024
/** Of the name of a network. */
export const NETWORK_NAME = /^[a-z0-9][a-z0-9-]*$/
export const MAX_NAME = 64
const HOUR = 3_600_000
/** ms; the bounds of `mapEpochMs`. */
export const DEFAULT_MAP_EPOCH_MS = 60_000
export const MAP_EPOCH_BOUNDS = { min: 200, max: HOUR } as const
const MAX_INVITERS = 64
const MAX_ATTESTERS = 64
export const DEFAULT_AUDIT_EPOCH_MS = HOUR
export const DEFAULT_REWARD_EPOCH_MS = 24 * HOUR
/** ms: a day where a whole committee sits; never where fewer do, whom hostile candidates would outnumber by chance (docs/security.md). */
export function defaultRotateMs(seats: number): number | undefined {
  return seats === MAX_SEATS ? 24 * HOUR : undefined
}

/** Map epochs that a rotation takes at least until the next: what is drawn in one has to be decided before. */
const LEAST_ROTATE_EPOCHS = 16
const LEAST_ROTATE_MS = 60_000
/** An hour where map epochs take a minute. */
export const defaultRecoveryAfterMs = (mapEpochMs: number): number => 60 * mapEpochMs

/**
 * Parses a network file strictly: unknown keys are refused by name, every field has limits, and a simulated table is
 * accepted only where every address is loopback.
 * @throws WeftError E_NETWORK_FILE, E_SIMULATED_NOT_LOOPBACK
 */
export function parseNetworkFile(text: string): NetworkFile {
  if (text.length > MAX_NETWORK_FILE) throw refuse(`it has ${text.length} characters; the limit is ${MAX_NETWORK_FILE}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refuse(`it is not JSON: ${messageOf(error)}`)
  }
  return networkFileOf(value)
}

function networkFileOf(value: unknown): NetworkFile {
  const file = objectOf(value, 'the file', KEYS, refuse)
  integerOf(file.schemaVersion, 'schemaVersion', 1, 1, refuse)
  const validators = listOf(file.validators, 'validators', 1, MAX_SEATS, refuse, validatorOf)
  distinct(
    validators.map(({ id }) => id),
    'validators',
    refuse,
  )
  const committeeSize = integerOf(file.committeeSize ?? MAX_SEATS, 'committeeSize', 1, MAX_SEATS, refuse)
  if (validators.length > committeeSize) {
    throw refuse(
      `it names ${validators.length} validators, and a term has no more than committeeSize, ${committeeSize}; name fewer: others are drawn later`,
    )
  }
  const policy = policyOf(file.policy, refuse)
  const inviters = invitersOf(file.inviters, policy)
  const attesters = attestersOf(file.attesters)
  const minimums = minimumsOf(file.minimums, refuse)
  const mapEpochMs = integerOf(
    file.mapEpochMs ?? DEFAULT_MAP_EPOCH_MS,
    'mapEpochMs',
    MAP_EPOCH_BOUNDS.min,
    MAP_EPOCH_BOUNDS.max,
    refuse,
  )
  const auditEpochMs = integerOf(
    file.auditEpochMs ?? DEFAULT_AUDIT_EPOCH_MS,
    'auditEpochMs',
    mapEpochMs,
    24 * HOUR,
    refuse,
  )
  const seats = integerOf(file.seats ?? validators.length, 'seats', validators.length, committeeSize, refuse)
  const rotateMs = rotateMsOf(file.rotateMs ?? defaultRotateMs(seats), mapEpochMs)
  const parsed = {
    schemaVersion: 1 as const,
    name: textOf(file.name, 'name', NETWORK_NAME, MAX_NAME, refuse),
    validators,
    policy,
    ...(inviters === undefined ? {} : { inviters }),
    ...(attesters === undefined ? {} : { attesters }),
    ...(minimums === undefined ? {} : { minimums }),
    mapEpochMs,
    auditEpochMs,
    rewardEpochMs: integerOf(
      file.rewardEpochMs ?? DEFAULT_REWARD_EPOCH_MS,
      'rewardEpochMs',
      auditEpochMs,
      30 * 24 * HOUR,
      refuse,
    ),
    recoveryAfterMs: integerOf(
      file.recoveryAfterMs ?? defaultRecoveryAfterMs(mapEpochMs),
      'recoveryAfterMs',
      3 * mapEpochMs,
      7 * 24 * HOUR,
      refuse,
    ),
    committeeSize,
    seats,
    ...(rotateMs === undefined ? {} : { rotateMs }),
    certificateTtlMs: integerOf(file.certificateTtlMs ?? 24 * HOUR, 'certificateTtlMs', 1_000, 30 * 24 * HOUR, refuse),
    clockToleranceMs: integerOf(file.clockToleranceMs ?? 5_000, 'clockToleranceMs', 100, 60_000, refuse),
    createdAt: timeOf(file.createdAt, 'createdAt', refuse),
  }
  if (file.simulated === undefined) return parsed
  refuseRemoteAddresses(validators)
  return { ...parsed, simulated: simulatedOf(file.simulated) }
}

const KEYS = [
  'schemaVersion',
  'name',
  'validators',
  'policy',
  'inviters',
  'attesters',
  'minimums',
  'mapEpochMs',
  'auditEpochMs',
  'rewardEpochMs',
  'recoveryAfterMs',
  'committeeSize',
  'seats',
  'rotateMs',
  'certificateTtlMs',
  'clockToleranceMs',
  'createdAt',
  'simulated',
] as const

/** ms between which `rotateMs` of a network with this map epoch must be. */
export function rotateBounds(mapEpochMs: number): { readonly min: number; readonly max: number } {
  return { min: Math.max(LEAST_ROTATE_EPOCHS * mapEpochMs, LEAST_ROTATE_MS), max: 30 * 24 * HOUR }
}

function rotateMsOf(value: unknown, mapEpochMs: number): number | undefined {
  const { min, max } = rotateBounds(mapEpochMs)
  return value === undefined ? undefined : integerOf(value, 'rotateMs', min, max, refuse)
}

function validatorOf(value: unknown, path: string): GenesisValidator {
  const entry = objectOf(value, path, ['id', 'addresses', 'roles', 'family'], refuse)
  const id = didOf(entry.id, `${path}.id`)
  const addresses = listOf(entry.addresses, `${path}.addresses`, 1, MAX_ADDRESSES, refuse, (item, at) =>
    nodeAddressOf(item, at, refuse),
  )
  const roles = listOf(entry.roles, `${path}.roles`, 1, ROLES.length, refuse, (item, at) => roleOf(item, at, refuse))
  distinct(roles, `${path}.roles`, refuse)
  if (!roles.includes('validator')) throw refuse(`${path}.roles must name 'validator'`)
  return { id, addresses, roles, family: textOf(entry.family, `${path}.family`, FAMILY, MAX_NAME, refuse) }
}

function didOf(value: unknown, path: string): DidKey {
  const id = textOf(value, path, /^did:key:z/, 64, refuse)
  if (!isDidKey(id)) throw refuse(`${path} '${id}' is not the did:key of an Ed25519 key`)
  return id
}

/** A role that a node can be certified for: every known one but `client`. @throws refusal */
export function roleOf(value: unknown, path: string, refusal: Refusal): Role {
  const role = ROLES.find((known) => known === value)
  if (role === undefined || role === 'client') {
    throw refusal(`${path} must be one of ${ROLES.slice(1).join(', ')}, and is '${String(value).slice(0, 40)}'`)
  }
  return role
}

function invitersOf(value: unknown, policy: AdmissionPolicy): readonly DidKey[] | undefined {
  if (value === undefined) return undefined
  if (!waysOf(policy).includes('invite')) throw refuse("inviters are named, and policy does not name 'invite'")
  return keysOf(value, 'inviters', MAX_INVITERS)
}

function attestersOf(value: unknown): readonly DidKey[] | undefined {
  return value === undefined ? undefined : keysOf(value, 'attesters', MAX_ATTESTERS)
}

/** Sorted, as their order has no meaning and must not change the network's id. */
function keysOf(value: unknown, path: string, most: number): readonly DidKey[] {
  const keys = listOf(value, path, 1, most, refuse, (item, at) => didOf(item, at))
  return distinct(keys, path, refuse).toSorted()
}

function simulatedOf(value: unknown): Record<DidKey, SimulatedPlace> {
  const ids = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const table = objectOf(value, 'simulated', ids, refuse)
  const places: [DidKey, SimulatedPlace][] = []
  for (const id of ids) {
    const path = `simulated.${id.slice(0, 64)}`
    if (!isDidKey(id)) throw refuse(`${path} is not the did:key of an Ed25519 key`)
    const place = objectOf(table[id], path, ['address', 'asn', 'family', 'country', 'region'], refuse)
    const address = textOf(place.address, `${path}.address`, /^[0-9a-f.:]+$/, 39, refuse)
    if (canonicalHost(address) !== address)
      throw refuse(`${path}.address '${address}' is not an IP address in its canonical form`)
    places.push([
      id,
      {
        address,
        asn: integerOf(place.asn, `${path}.asn`, 0, MAX_ASN, refuse),
        family: textOf(place.family, `${path}.family`, FAMILY, MAX_NAME, refuse),
        country: textOf(place.country, `${path}.country`, COUNTRY, 2, refuse),
        region: textOf(place.region, `${path}.region`, REGION, 32, refuse),
      },
    ])
  }
  return Object.fromEntries(places)
}

/** Invented places next to real addresses would let one operator pass for many. */
function refuseRemoteAddresses(validators: readonly GenesisValidator[]): void {
  for (const { id, addresses } of validators) {
    for (const address of addresses) {
      if (isLoopback(parseNodeAddress(address)?.host ?? '')) continue
      throw new WeftError({
        code: 'E_SIMULATED_NOT_LOOPBACK',
        cause: `The network file has a table of simulated places, and validator ${id} has the address ${address}, which is not loopback.`,
        fix: 'Remove `simulated` from the file: invented places are for networks on one machine only.',
      })
    }
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_NETWORK_FILE',
    cause: `The network file cannot be used: ${why}.`,
    fix: 'Take the file as its network published it, or correct the named part (docs/specs/network-file.md).',
  })
}
