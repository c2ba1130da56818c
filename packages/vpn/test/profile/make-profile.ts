import fc from 'fast-check'
import { parseProfile } from '../../src/profile/parse-profile.ts'
import type { Profile } from '../../src/profile/profile.ts'

const name = fc.stringMatching(/^[a-z0-9-]{1,32}$/).map((text) => `x${text.slice(1)}`)
const lists = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 20 })

/** What a profile may be, as it is written; its name is of none that is built in. */
export const anyWritten: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    name,
    exit: fc.constantFrom('auto', 'nearest', 'random', 'DE', 'SA', 'sa', 'rest'),
    hops: fc.integer({ min: 2, max: 5 }),
    tier: fc.constantFrom('off', 'standard', 'high'),
    legs: fc.constantFrom(1, 2),
    isolation: fc.constantFrom('none', 'credentials', 'destination'),
    rotationMinutes: fc.integer({ min: 1, max: 1_440 }),
    killSwitch: fc.constantFrom('off', 'on', 'allow-lan'),
    tun: fc.constantFrom('on', 'off'),
    tunExclude: lists.map((all) => all.map((part) => `10.${part}.0.0/16`)),
    tunInclude: lists.map((all) => all.map((part) => `fd00:${part}::/32`)),
    tunExcludeUsers: lists.map((all) => all.map(String)),
    tunIncludeUsers: lists.map((all) => all.map((part) => `u${part}`)),
    tunExcludeCgroups: lists.map((all) => all.map((part) => `/system.slice/s${part}.service`)),
    tunIncludeCgroups: lists.map((all) => all.map((part) => `/user.slice/${part}`)),
    dns: fc.constantFrom('exit', 'off'),
  },
  { requiredKeys: ['name'] },
)

export const anyProfile: fc.Arbitrary<Profile> = anyWritten.map(parseProfile)
