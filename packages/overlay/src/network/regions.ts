import type { Member } from '../member.ts'

/** A circle on the earth in which all of a region lies: degrees north and east, km. */
interface Region {
  readonly latitude: number
  readonly longitude: number
  readonly radiusKm: number
}

const at = (latitude: number, longitude: number, radiusKm: number): Region => ({ latitude, longitude, radiusKm })

/** The regions of which it is known where they are (docs/specs/admission.md, Regions). Any other name is a hint only. */
const REGIONS: Readonly<Partial<Record<string, Region>>> = {
  africa: at(3, 20, 4_300),
  'af-south': at(-29, 25, 1_700),
  asia: at(35, 95, 5_000),
  'asia-east': at(33, 122, 2_600),
  'asia-south': at(20, 78, 2_200),
  'asia-southeast': at(5, 110, 2_700),
  australia: at(-27, 134, 2_500),
  canada: at(55, -95, 3_200),
  europe: at(52, 18, 3_000),
  'eu-central': at(50, 13, 1_100),
  'eu-east': at(50, 30, 1_500),
  'eu-north': at(62, 17, 1_300),
  'eu-south': at(41, 14, 2_000),
  'eu-west': at(49, 0, 1_500),
  'middle-east': at(29, 45, 2_200),
  'north-america': at(42, -98, 4_500),
  oceania: at(-27, 140, 4_500),
  'sa-east': at(-18, -46, 2_200),
  'south-america': at(-18, -60, 4_300),
  'us-central': at(39, -96, 1_500),
  'us-east': at(38, -79, 1_500),
  'us-west': at(40, -117, 1_500),
}

/** Mean radius of the earth (IUGG), km. */
const EARTH_KM = 6_371.009
/** Light in vacuum, km in a ms: in fibre it is a third slower, over no path faster. */
const LIGHT_KM_PER_MS = 299.792_458

function isKnownRegion(name: string): boolean {
  return Object.hasOwn(REGIONS, name)
}

/**
 * What stands behind the region of a member: a place that a devnet invented, a claim that validators of known regions held
 * against round-trip times, or nothing but its word.
 */
export type RegionStanding = 'simulated' | 'bounded' | 'unverified'

/** @param judges members that are validators */
export function regionStanding(
  { region, simulated }: Pick<Member, 'region' | 'simulated'>,
  judges: readonly Pick<Member, 'region'>[],
): RegionStanding {
  if (simulated) return 'simulated'
  return judges.some((judge) => leastRoundTripMs(judge.region, region) > 0) ? 'bounded' : 'unverified'
}

/** ms that no round trip between two regions can be shorter than; 0 where they touch or one is not known. */
export function leastRoundTripMs(one: string, other: string): number {
  const [a, b] = [regionOf(one), regionOf(other)]
  if (a === undefined || b === undefined) return 0
  const km = distanceKm(a, b) - a.radiusKm - b.radiusKm
  return Math.max(0, (2 * km) / LIGHT_KM_PER_MS)
}

function regionOf(name: string): Region | undefined {
  return isKnownRegion(name) ? REGIONS[name] : undefined
}

/** Along the great circle (haversine formula). */
function distanceKm(a: Region, b: Region): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180
  const halfLatitude = rad(b.latitude - a.latitude) / 2
  const halfLongitude = rad(b.longitude - a.longitude) / 2
  const h =
    Math.sin(halfLatitude) ** 2 + Math.cos(rad(a.latitude)) * Math.cos(rad(b.latitude)) * Math.sin(halfLongitude) ** 2
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)))
}
