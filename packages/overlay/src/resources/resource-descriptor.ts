import type { DidKey, SignedEnvelope } from '@weft/crypto'

/**
 * What a member says of the machine behind it, so that other networks can find capacity to buy
 * (docs/specs/resources.md). It stands in the member's certificate. Nobody has checked it, but energy that somebody attests.
 */
export interface ResourceDescriptor {
  readonly site: SiteKind
  /** Who runs the site, e.g. a hosting company. */
  readonly provider?: string
  /** The machine in words. */
  readonly hardware?: string
  /** What there is of it; absent when nothing is said of any. */
  readonly capacity?: ResourceCapacity
  /** Absent when nothing is said of it. */
  readonly energy?: EnergySupply
}

export const SITE_KINDS = ['home', 'office', 'datacentre', 'edge', 'mobile'] as const
export type SiteKind = (typeof SITE_KINDS)[number]

/** At least one of these. */
export interface ResourceCapacity {
  /** Processor cores. */
  readonly cores?: number
  /** GPUs and the like. */
  readonly accelerators?: number
  /** Bytes of main memory. */
  readonly memoryBytes?: number
  /** Bytes that it keeps for others. */
  readonly storageBytes?: number
  /** Mbit/s from it to others. */
  readonly uploadMbps?: number
  /** Mbit/s from others to it. */
  readonly downloadMbps?: number
}

/** The quantities of a capacity, in the order in which they are encoded, with the largest that may be named. */
export const CAPACITY_LIMITS = {
  cores: 2 ** 16,
  accelerators: 2 ** 10,
  memoryBytes: 2 ** 50,
  storageBytes: 2 ** 50,
  uploadMbps: 1_000_000,
  downloadMbps: 1_000_000,
} as const satisfies Record<keyof ResourceCapacity, number>

/** Where the power comes from; `mix` is whatever the grid has. */
export const ENERGY_SOURCES = [
  'mix',
  'solar',
  'wind',
  'hydro',
  'geothermal',
  'nuclear',
  'biomass',
  'gas',
  'oil',
  'coal',
] as const
export type EnergySource = (typeof ENERGY_SOURCES)[number]

/** Where the power comes from and what it takes; at least one of them. */
export interface EnergyFigures {
  /** ISO 3166-1 country, and where it has several grids the zone behind dashes, e.g. `US-TEX-ERCO`. */
  readonly grid?: string
  readonly source?: EnergySource
  /** gCO2/kWh, a yearly mean. */
  readonly carbon?: number
}

/** On the word of the operator. */
export interface DeclaredEnergy extends EnergyFigures {
  readonly evidence: 'declared'
}

/** On the word of an attester that the network file names. */
export interface AttestedEnergy extends EnergyFigures {
  readonly evidence: 'attested'
  readonly attester: DidKey
  /** ms since the Unix epoch: until when it holds. */
  readonly notAfter: number
  /** What the attester signed, purpose `attestation`. */
  readonly statement: SignedEnvelope
}

export type EnergySupply = DeclaredEnergy | AttestedEnergy

/** Words for people: printable ASCII without a space at either end. */
export const RESOURCE_TEXT = /^[!-~]([ -~]*[!-~])?$/
export const MAX_PROVIDER = 64
export const MAX_HARDWARE = 128
export const GRID = /^[A-Z]{2}(-[A-Z0-9]{1,8}){0,2}$/
export const MAX_GRID = 20
/** The dirtiest kWh that is made, from lignite, takes about 1,200 g. */
export const MAX_CARBON = 2_000
