import type { Profile, ProfileField, ProfileFields } from './profile.ts'
import { profileInvalid, shown } from './profile-fault.ts'
import { PROFILE_FIELDS, PROFILE_VALUES } from './profile-values.ts'

/** Bytes of the written form of one profile; so that it fits into a request of the API with room. */
const MAX_PROFILE_BYTES = 32 * 1_024

const NAME = /^[a-z0-9-]{1,32}$/

/** @throws WeftError E_PROFILE_INVALID */
export function parseProfileName(value: unknown): string {
  if (typeof value === 'string' && NAME.test(value)) return value
  throw profileInvalid(
    `name is ${shown(value)}, and must be 1 to 32 of a-z, 0-9 and -`,
    'Choose a name such as work or home-2.',
    'name',
  )
}

/** What a profile says, without its name; in one order, so that equal ones are written alike. @throws WeftError E_PROFILE_INVALID */
export function parseProfileFields(value: unknown): ProfileFields {
  const given = requireObject(value, 'it')
  const unknown = Object.keys(given).find((key) => !(PROFILE_FIELDS as readonly string[]).includes(key))
  if (unknown !== undefined)
    throw profileInvalid(
      `there is no field ${shown(unknown)}`,
      `Its fields are ${PROFILE_FIELDS.join(', ')}.`,
      unknown.slice(0, 64),
    )
  const fields = Object.fromEntries(
    PROFILE_FIELDS.filter((field) => Object.hasOwn(given, field)).map((field) => [field, read(field, given[field])]),
  ) as ProfileFields
  const bytes = Buffer.byteLength(JSON.stringify(fields))
  if (bytes > MAX_PROFILE_BYTES)
    throw profileInvalid(
      `it has ${bytes} bytes, and the limit is ${MAX_PROFILE_BYTES}`,
      'Shorten its lists: one network in the place of several, or a cgroup above in the place of those below it.',
    )
  return fields
}

/** A profile in its written form: an object of `name` and fields. @throws WeftError E_PROFILE_INVALID */
export function parseProfile(value: unknown): Profile {
  const { name, ...fields } = requireObject(value, 'it')
  return { name: parseProfileName(name), fields: parseProfileFields(fields) }
}

/** The written form of a profile. */
export type WrittenProfile = ProfileFields & Pick<Profile, 'name'>

export function writtenProfile({ name, fields }: Profile): WrittenProfile {
  return { name, ...fields }
}

/** @param what begins the sentence. @throws WeftError E_PROFILE_INVALID */
export function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw profileInvalid(
    `${what} is ${shown(value)}, and must be a JSON object`,
    'docs/specs/profiles.md has the form; weft vpn profile export default prints one.',
  )
}

function read(field: ProfileField, value: unknown): unknown {
  const kind = PROFILE_VALUES[field]
  try {
    return kind.read(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw profileInvalid(
      `${field} ${error.message}, and must be ${kind.syntax}`,
      `Correct ${field}, or leave it out: then it is as weft vpn profile show default says.`,
      field,
    )
  }
}
