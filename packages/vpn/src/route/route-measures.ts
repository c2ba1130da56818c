import type { DidKey } from '@weft/crypto'
import { FULL, type LoadStep } from '@weft/overlay'
import { loadFactor, usualStep } from './load-factor.ts'
import { EXIT, type RouteTable } from './route-table.ts'

/** What a client knows of members beside the map. Whatever is not known of one does it no harm and no good. */
export interface RouteMeasures {
  /** As this client measured: 0 to 1, or a colour. */
  readonly health?: ReadonlyMap<DidKey, number | 'green' | 'yellow' | 'red'>
  /** As members publish of themselves (docs/specs/load.md). */
  readonly load?: ReadonlyMap<DidKey, number>
  /** In any unit, all in the same: as validators measured, not as claimed. */
  readonly capacity?: ReadonlyMap<DidKey, number>
  /** ms, there and back from this client, measured through tunnels. */
  readonly latencyMs?: ReadonlyMap<DidKey, number>
  /** ms, there and back between two members, measured through tunnels; looked up both ways. */
  readonly pairMs?: ReadonlyMap<DidKey, ReadonlyMap<DidKey, number>>
}

/**
 * The best weighs this many times as much as the worst, whatever is known or claimed of either: so nobody's share is above
 * WEIGHT_RANGE / (n - 1 + WEIGHT_RANGE).
 */
export const WEIGHT_RANGE = 16
export const MIN_WEIGHT = 1 / WEIGHT_RANGE

const COLOURS = { green: 1, yellow: 0.5, red: 0 } as const
/** Health below which a member is left out where there are enough others. */
const RED = 0.25
/** One that has more capacity than this many times the middle one weighs no more. */
const MOST_CAPACITY = 8

/** Bits of {@link MemberWeights.left}; the other is for those that are red. */
export const IS_SATURATED = 1
const IS_RED = 2

/** What members weigh apart from where they are, by their place in the table. */
export interface MemberWeights {
  /** For the last hop out of the network. */
  readonly last: Float64Array
  /** For other positions: exits are spared as far as they are scarce. */
  readonly other: Float64Array
  /** Not 0 for those that are left out where there are enough others: {@link IS_SATURATED}, or red. */
  readonly left: Uint8Array
}

/** Once for each map, and whenever measures changed. */
export function weighMembers(table: RouteTable, { health, load, capacity }: RouteMeasures): MemberWeights {
  const last = new Float64Array(table.size)
  const other = new Float64Array(table.size)
  const left = new Uint8Array(table.size)
  const capacityWeight = capacityWeights(table, capacity)
  const spared = sparing(table)
  const usual = usualStep(
    table.members.map(({ id }) => ({ step: stepOf(load?.get(id)), claimedCapacity: capacity?.get(id) })),
  )
  for (const [at, { id }] of table.members.entries()) {
    const well = healthOf(health?.get(id))
    const step = stepOf(load?.get(id))
    left[at] = (step === FULL ? IS_SATURATED : 0) | (well < RED ? IS_RED : 0)
    // Who says less than is usual gains nothing by it.
    const weight = well * loadFactor(step, usual) * capacityWeight(id)
    last[at] = Math.max(MIN_WEIGHT, weight)
    other[at] = Math.max(MIN_WEIGHT, ((table.roles[at] as number) & EXIT) === 0 ? weight : weight * spared)
  }
  return { last, other, left }
}

/**
 * What an exit weighs elsewhere: each of three positions needs a third of all, so of E exits among n members E - n/3 are to spare (Tor directory
 * specification, "bandwidth weights", with all bandwidths alike). At least a tenth, since it may be needed.
 */
function sparing(table: RouteTable): number {
  const exits = table.withRole(EXIT).length
  return exits === 0 ? 1 : Math.max(0.1, (exits - table.size / 3) / exits)
}

function healthOf(known: number | keyof typeof COLOURS | undefined): number {
  if (known === undefined) return 1
  const value = typeof known === 'number' ? known : COLOURS[known]
  return value >= 0 ? Math.min(1, value) : 0
}

function stepOf(known: number | undefined): LoadStep | undefined {
  return known !== undefined && Number.isInteger(known) && known >= 0 ? (Math.min(FULL, known) as LoadStep) : undefined
}

function capacityWeights(table: RouteTable, capacity: RouteMeasures['capacity']): (id: DidKey) => number {
  const known = table.members
    .map(({ id }) => capacity?.get(id) ?? Number.NaN)
    .filter((each) => each > 0 && each < Infinity)
    .toSorted((a, b) => a - b)
  const middle = known[known.length >> 1]
  const most = known.at(-1)
  if (middle === undefined || most === undefined) return () => 1
  const whole = Math.min(most, MOST_CAPACITY * middle)
  return (id) => {
    const own = capacity?.get(id)
    return Math.min(1, (own !== undefined && own >= 0 ? own : middle) / whole)
  }
}
