import { countrySlip } from '../route/country-slip.ts'
import { parseExitWish } from '../route/exit-wish.ts'
import type { ProfileFields } from './profile.ts'
import { profileInvalid, shown } from './profile-fault.ts'

/**
 * Refuses a country that is none, or is written otherwise today, before a profile is kept. One that is kept already stays: tables of countries change.
 * @throws WeftError E_PROFILE_INVALID
 */
export function checkCountry({ exit }: ProfileFields): void {
  const wish = exit === undefined ? undefined : parseExitWish(exit)
  const slip = wish?.kind === 'country' ? countrySlip(wish.country) : undefined
  if (slip === undefined) return
  const fix = 'Give the code of a country as of today: weft vpn exits shows those where there are exits.'
  throw profileInvalid(`exit is ${shown(exit)}; ${slip}`, fix, 'exit')
}
