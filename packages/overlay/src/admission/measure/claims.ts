import { sizeWords } from '@weft/core'
import { PACKET_ROLES, type Role, carriesPackets } from '../../member.ts'
import type { RoleMinimum, RoleMinimums } from '../../network/role-minimums.ts'
import type { AdmissionProfile } from '../admission-profile.ts'
import type { Measured } from '../measured-field.ts'

export type Figure = keyof Measured

export const FIGURES = [
  'bandwidthMbps',
  'lossPpm',
  'storageBytes',
  'availabilityPpm',
] as const satisfies readonly Figure[]

/** What the operator of a node says that it has; what is left out follows from what the network asks for. */
export interface Offer {
  /** Mbit/s each way. */
  readonly bandwidthMbps?: number | undefined
  /** Bytes that it keeps for others. */
  readonly storageBytes?: number | undefined
}

/** Of a loss less is better, of all else more. */
export function isAsGood(figure: Figure, value: number, as: number): boolean {
  return figure === 'lossPpm' ? value <= as : value >= as
}

/** A figure with its unit. */
export function inWords(figure: Figure, value: number): string {
  switch (figure) {
    case 'bandwidthMbps':
      return `${value} Mbit/s each way`
    case 'lossPpm':
      return `a loss of ${value / 10_000} %`
    case 'storageBytes':
      return `${sizeWords(value)} for others`
    case 'availabilityPpm':
      return `${value / 10_000} % of the last seven days`
  }
}

/** What a role is asked for; loss only where packets are carried, as it is measured on these. */
export function minimumOf(role: Role, minimums: RoleMinimums, figure: Figure): number | undefined {
  const isPacketRole = (PACKET_ROLES as readonly Role[]).includes(role)
  const minimum: RoleMinimum | undefined = minimums[role]
  return figure === 'lossPpm' && !isPacketRole ? undefined : minimum?.[figure]
}

/** The first figure in which a claim is not what the network asks of a role. */
export function lackOf(role: Role, minimums: RoleMinimums, measured: Measured | undefined): Figure | undefined {
  return FIGURES.find((figure) => {
    const asked = minimumOf(role, minimums, figure)
    const value = measured?.[figure]
    return asked !== undefined && (value === undefined || !isAsGood(figure, value, asked))
  })
}

/** What a node claims at first: what it is asked for, and what its operator says. Undefined where that is nothing. */
export function firstClaim(minimums: RoleMinimums, roles: readonly Role[], offer: Offer): Measured | undefined {
  const asked = (figure: Figure): number | undefined => {
    const values = roles.flatMap((role) => minimumOf(role, minimums, figure) ?? [])
    if (values.length === 0) return undefined
    return figure === 'lossPpm' ? Math.min(...values) : Math.max(...values)
  }
  const storage = asked('storageBytes')
  return claimOf({
    bandwidthMbps: offer.bandwidthMbps ?? asked('bandwidthMbps'),
    lossPpm: asked('lossPpm'),
    storageBytes: storage === undefined ? undefined : (offer.storageBytes ?? storage),
    availabilityPpm: asked('availabilityPpm'),
  })
}

/**
 * The profile of a node that claims so much: without the roles for which that is too little, and without what only these
 * need. A seat is not given up by a claim. Undefined when no role is left.
 * @param seated whether the node has a seat, and so stays a validator
 */
export function profileClaiming(
  profile: AdmissionProfile,
  minimums: RoleMinimums,
  measured: Measured | undefined,
  seated: boolean,
): AdmissionProfile | undefined {
  const roles = profile.roles.filter(
    (role) => (seated && role === 'validator') || lackOf(role, minimums, measured) === undefined,
  )
  if (roles.length === 0) return undefined
  const packets = carriesPackets(roles) ? profile.packets : undefined
  const claim =
    packets === undefined && measured !== undefined ? claimOf({ ...measured, lossPpm: undefined }) : measured
  return { ...profile, roles, packets, measured: claim }
}

/**
 * What a quorum of validators would vote for, by what they measured: those that voted hold the claim to be true, others say
 * what they found. Somewhat less than that is claimed, as no two measurements agree, but not less than a minimum that was
 * found. Undefined while too few have answered, or when they found what is claimed.
 * @param found what each validator that voted or measured says; undefined for a vote, or for a figure that holds
 */
export function loweredClaim(
  claim: Measured,
  found: readonly (Measured | undefined)[],
  quorum: number,
  minimums: RoleMinimums,
): Measured | undefined {
  if (found.length < quorum) return undefined
  const lower = (figure: Figure): number | undefined => {
    const claimed = claim[figure]
    if (claimed === undefined) return undefined
    const values = found.map((each) => each?.[figure] ?? claimed)
    const best = values.sort((a, b) => (isAsGood(figure, a, b) ? -1 : 1))
    const shared = best[quorum - 1] ?? claimed
    if (isAsGood(figure, shared, claimed)) return claimed
    const reached = Object.keys(minimums)
      .map((role) => minimumOf(role as Role, minimums, figure))
      .filter((asked) => asked !== undefined && isAsGood(figure, shared, asked))
      .map((asked) => asked ?? 0)
    const careful = WITH_CARE[figure](shared)
    return figure === 'lossPpm' ? Math.min(careful, ...reached) : Math.max(careful, ...reached)
  }
  const next = {
    bandwidthMbps: lower('bandwidthMbps'),
    lossPpm: lower('lossPpm'),
    storageBytes: lower('storageBytes'),
    availabilityPpm: lower('availabilityPpm'),
  }
  return FIGURES.every((figure) => next[figure] === claim[figure]) ? undefined : next
}

const MILLION = 1_000_000

/** What is claimed where so much was measured: the next validator may measure somewhat less. */
const WITH_CARE: Readonly<Record<Figure, (value: number) => number>> = {
  bandwidthMbps: (value) => Math.floor(value * 0.9),
  lossPpm: (value) => Math.min(MILLION, Math.ceil(value * 1.25) + 1_000),
  storageBytes: (value) => value,
  availabilityPpm: (value) => Math.max(0, value - 2_000),
}

function claimOf(measured: Measured): Measured | undefined {
  return FIGURES.every((figure) => measured[figure] === undefined) ? undefined : measured
}
