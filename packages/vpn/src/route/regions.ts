/**
 * Parts of the world, coarse enough for a guess of how far two nodes are apart: a fixed list, whatever members call their regions. rest is Africa, Antarctica and what is no
 * country.
 */
export type Region = 'na' | 'eu' | 'as' | 'oc' | 'sa' | 'rest'

/** By continents, as the standard M49 of the United Nations Statistics Division has them; Taiwan and Kosovo, which it does not list, with their neighbours. */
const COUNTRIES: Readonly<Record<Exclude<Region, 'rest'>, string>> = {
  na: `US CA MX GL BM PM BZ CR GT HN NI PA SV
    AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI`,
  eu: `GB DE NL FR AD AL AT AX BA BE BG BY CH CZ DK EE ES FI FO GG GI GR HR HU IE IM IS IT JE LI LT LU LV
    MC MD ME MK MT NO PL PT RO RS RU SE SI SJ SK SM UA VA XK`,
  as: `SG JP HK AE AF AM AZ BD BH BN BT CN CY GE ID IL IN IQ IR JO KG KH KP KR KW KZ LA LB LK MM MN MO MV MY
    NP OM PH PK PS QA SA SY TH TJ TL TM TR TW UZ VN YE`,
  oc: 'AU NZ AS CC CK CX FJ FM GU HM KI MH MP NC NF NR NU PF PG PN PW SB TK TO TV UM VU WF WS',
  sa: 'BR AR CL BO BV CO EC FK GF GS GY PE PY SR UY VE',
}

export const REGIONS: readonly Region[] = ['na', 'eu', 'as', 'oc', 'sa', 'rest']

const BY_COUNTRY: ReadonlyMap<string, Region> = new Map(
  Object.entries(COUNTRIES).flatMap(([region, countries]) =>
    countries.split(/\s+/).map((country) => [country, region as Region]),
  ),
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
