/** Parts of the world, coarse enough for a guess of how far two nodes are apart: a fixed list, whatever members call their regions. */
export type Region = 'na' | 'eu' | 'as' | 'oc' | 'sa' | 'rest'

const COUNTRIES: Readonly<Record<Exclude<Region, 'rest'>, readonly string[]>> = {
  na: ['US', 'CA'],
  eu: ['GB', 'DE', 'NL', 'FR'],
  as: ['SG', 'JP', 'HK'],
  oc: ['AU'],
  sa: ['BR', 'AR', 'CL'],
}

export const REGIONS: readonly Region[] = ['na', 'eu', 'as', 'oc', 'sa', 'rest']

const BY_COUNTRY: ReadonlyMap<string, Region> = new Map(
  Object.entries(COUNTRIES).flatMap(([region, countries]) => countries.map((country) => [country, region as Region])),
)

/** @param country ISO 3166-1 alpha-2, as the signed map has it; `rest` for all that are not listed */
export function regionOf(country: string): Region {
  return BY_COUNTRY.get(country) ?? 'rest'
}

export function isRegion(text: string): text is Region {
  return (REGIONS as readonly string[]).includes(text)
}

/** ms, there and back, between the capitals of networks of two regions: guesses, where nothing was measured. Rows and columns as {@link REGIONS}. */
const GUESSED_MS: readonly (readonly number[])[] = [
  [40, 95, 170, 170, 140, 150],
  [95, 20, 200, 270, 200, 150],
  [170, 200, 60, 120, 300, 150],
  [170, 270, 120, 20, 300, 200],
  [140, 200, 300, 300, 50, 200],
  [150, 150, 150, 200, 200, 150],
]

/** ms, there and back, that two nodes may be apart. @param one, other places in {@link REGIONS} */
export function guessedMs(one: number, other: number): number {
  return (GUESSED_MS[one] as readonly number[])[other] as number
}
