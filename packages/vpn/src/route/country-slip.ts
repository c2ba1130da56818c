import { type Region, isRegion } from './regions.ts'

/** Codes that name no single country, but that tables of countries have (CLDR). */
const NO_COUNTRY: ReadonlySet<string> = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ'])
const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

/**
 * What is wrong with two capitals that are to name a country, as the end of a sentence: of a code that was never assigned, or is another one today. Undefined where nothing is.
 * By the tables of Unicode (CLDR), which have XK as well.
 */
export function countrySlip(code: string): string | undefined {
  const today = new Intl.Locale(`und-${code}`).region
  const name = names.of(code)
  if (name === undefined || NO_COUNTRY.has(code))
    return isRegion(code.toLowerCase())
      ? `the region is written ${code.toLowerCase()}`
      : 'which is no country (ISO 3166-1)'
  return today === undefined || today === code ? undefined : `${name} is written ${today}`
}

const REGION_NAMES: ReadonlyMap<string, Region> = new Map([
  ['africa', 'rest'],
  ['asia', 'as'],
  ['europe', 'eu'],
  ['northamerica', 'na'],
  ['oceania', 'oc'],
  ['southamerica', 'sa'],
])

/** How a country or a region is written of which this is the English name, as the end of a sentence; undefined of none. */
export function placeNamed(text: string): string | undefined {
  const wanted = text.toLowerCase()
  const region = REGION_NAMES.get(wanted.replaceAll(/[ _-]/g, ''))
  if (region !== undefined) return `${text} is written ${region}`
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(65 + at))
  const codes = letters.flatMap((first) => letters.map((second) => first + second))
  const code = codes.find((each) => names.of(each)?.toLowerCase() === wanted && countrySlip(each) === undefined)
  return code === undefined ? undefined : `${names.of(code)} is written ${code}`
}
