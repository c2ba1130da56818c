import { type Refusal, integerOf, objectOf } from '../codec/strict-values.ts'
import { ROLES, type Role } from '../member.ts'

/** What a node must have to be given a role. What is left out is not asked for. */
export interface RoleMinimum {
  /** Mbit/s each way, sustained. */
  readonly bandwidthMbps?: number
  /** Lost packets of a million, at most. */
  readonly lossPpm?: number
  /** Bytes that it keeps for others. */
  readonly storageBytes?: number
  /** Of a million parts of the last seven days, at least so many it was there. */
  readonly availabilityPpm?: number
}

export type RoleMinimums = Readonly<Partial<Record<Role, RoleMinimum>>>

const OFFERED = ROLES.filter((role) => role !== 'client')
/** Largest value of each; none is 0, which would ask for nothing, but a loss. */
const LIMITS = {
  bandwidthMbps: [1, 1_000_000],
  lossPpm: [0, 1_000_000],
  storageBytes: [1, 2 ** 50],
  availabilityPpm: [1, 1_000_000],
} as const satisfies Record<keyof RoleMinimum, readonly [number, number]>
const KEYS = Object.keys(LIMITS) as (keyof RoleMinimum)[]

/** Reads the key `minimums` of a network file; undefined when it asks for nothing. @throws refusal */
export function minimumsOf(value: unknown, refuse: Refusal): RoleMinimums | undefined {
  if (value === undefined) return undefined
  const table = objectOf(value, 'minimums', OFFERED, refuse)
  const minimums = OFFERED.filter((role) => Object.hasOwn(table, role)).map(
    (role) => [role, minimumOf(table[role], `minimums.${role}`, refuse)] as const,
  )
  return minimums.length === 0 ? undefined : Object.fromEntries(minimums)
}

function minimumOf(value: unknown, path: string, refuse: Refusal): RoleMinimum {
  const entry = objectOf(value, path, KEYS, refuse)
  const given = KEYS.filter((key) => Object.hasOwn(entry, key))
  if (given.length === 0) throw refuse(`${path} must name at least one of ${KEYS.join(', ')}`)
  return Object.fromEntries(
    given.map((key) => [key, integerOf(entry[key], `${path}.${key}`, LIMITS[key][0], LIMITS[key][1], refuse)]),
  )
}
