import { CGROUP_PATH, USER_NAME, checkNetwork, isWeftError, messageOf } from '@weft/core'
import { placeNamed } from '../route/country-slip.ts'
import { formatExitWish, hintFor, parseExitWish } from '../route/exit-wish.ts'
import type { ProfileField, ProfileFields } from './profile.ts'
import { shown } from './profile-fault.ts'

/** What a field of a profile may be. */
interface Value<T> {
  /** For people: completes "must be". */
  readonly syntax: string
  /** The value in its one written form. @throws RangeError whose message completes "it" */
  read(value: unknown): T
}

/** Most of each list, as of the settings of the same name. */
const MOST_NETWORKS = 256
const MOST_PROGRAMS = 64

function oneOf<const T extends string | number>(...choices: readonly T[]): Value<T> {
  const syntax = `one of ${choices.join(', ')}`
  return {
    syntax,
    read(value) {
      const choice = choices.find((known) => known === value)
      if (choice === undefined) throw new RangeError(`is ${shown(value)}`)
      return choice
    },
  }
}

function integer(least: number, most: number, unit: string): Value<number> {
  return {
    syntax: `a whole number from ${least} to ${most} (${unit})`,
    read(value) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most)
        throw new RangeError(`is ${shown(value)}`)
      return value
    },
  }
}

/** @param check throws where it is none */
function listOf(most: number, each: string, check: (item: string) => void): Value<readonly string[]> {
  return {
    syntax: `a list of at most ${most}, each ${each}`,
    read(value) {
      if (!Array.isArray(value)) throw new RangeError(`is ${shown(value)}`)
      if (value.length > most) throw new RangeError(`has ${value.length}`)
      const seen = new Set<string>()
      for (const item of value as readonly unknown[]) {
        if (typeof item !== 'string') throw new RangeError(`has ${shown(item)} in it`)
        check(item)
        if (seen.has(item)) throw new RangeError(`has ${shown(item)} twice`)
        seen.add(item)
      }
      return [...seen]
    },
  }
}

const matching =
  (pattern: RegExp) =>
  (item: string): void => {
    if (!pattern.test(item)) throw new RangeError(`has ${shown(item)} in it`)
  }

const networks = listOf(MOST_NETWORKS, 'a CIDR such as 192.168.0.0/16 or fd00::/8', (item) => {
  try {
    checkNetwork(item)
  } catch (error) {
    throw new RangeError(`has ${shown(item)} in it: ${messageOf(error)}`)
  }
})
const users = listOf(MOST_PROGRAMS, 'the name of a user of this machine, or its number', matching(USER_NAME))
const cgroups = listOf(
  MOST_PROGRAMS,
  'the path of a cgroup (v2) such as /system.slice/backup.service',
  matching(CGROUP_PATH),
)

const exit: Value<string> = {
  syntax:
    'auto, nearest, random, a country such as DE (ISO 3166-1), a region (na, eu, as, oc, sa, rest) or the whole did:key of a node, as weft members --long prints it',
  read(value) {
    if (typeof value !== 'string') throw new RangeError(`is ${shown(value)}`)
    try {
      const wish = parseExitWish(value)
      // The end of an id names one node today, and several tomorrow.
      if (wish.kind === 'suffix')
        throw new RangeError(`is ${shown(value)}; ${placeNamed(value) ?? 'the end of an id is not enough here'}`)
      return formatExitWish(wish)
    } catch (error) {
      if (!isWeftError(error, 'E_EXIT_WISH')) throw error
    }
    const named = placeNamed(value)
    throw new RangeError(`is ${shown(value)}${named === undefined ? hintFor(value) : `; ${named}`}`)
  },
}

/** Every field of a profile, in the order in which they are written. */
export const PROFILE_VALUES: { readonly [F in ProfileField]: Value<NonNullable<ProfileFields[F]>> } = {
  exit,
  hops: integer(2, 5, 'nodes of a route'),
  tier: oneOf('off', 'standard', 'high'),
  legs: oneOf(1, 2),
  isolation: oneOf('none', 'credentials', 'destination'),
  rotationMinutes: integer(1, 1_440, 'minutes'),
  killSwitch: oneOf('off', 'on', 'allow-lan'),
  tun: oneOf('on', 'off'),
  tunExclude: networks,
  tunInclude: networks,
  tunExcludeUsers: users,
  tunIncludeUsers: users,
  tunExcludeCgroups: cgroups,
  tunIncludeCgroups: cgroups,
  dns: oneOf('exit', 'off'),
}

export const PROFILE_FIELDS = Object.keys(PROFILE_VALUES) as readonly ProfileField[]
