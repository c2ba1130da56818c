import type { Profile, ProfileField } from './profile.ts'
import { profileInvalid, shown } from './profile-fault.ts'
import { type WrittenProfile, parseProfile, requireObject, writtenProfile } from './parse-profile.ts'
import { PROFILE_FIELDS } from './profile-values.ts'

const KIND = 'weft-vpn-profile'

/** Characters of a document. */
const MAX_DOCUMENT = 64 * 1_024

/** Of this machine alone: its users, and the cgroups of its programs. */
export const OF_THIS_MACHINE: readonly ProfileField[] = [
  'tunExcludeUsers',
  'tunIncludeUsers',
  'tunExcludeCgroups',
  'tunIncludeCgroups',
]

/** A profile as one node gives it to another (docs/specs/profiles.md, Documents). */
export interface ProfileDocument {
  readonly schemaVersion: 1
  readonly kind: typeof KIND
  readonly profile: WrittenProfile
  /** Fields that it had where it is from, and which name that machine. */
  readonly leftOut: readonly ProfileField[]
}

/** Without what names this machine. */
export function exportProfile({ name, fields }: Profile): ProfileDocument {
  const leftOut = OF_THIS_MACHINE.filter((field) => fields[field] !== undefined)
  const kept = Object.fromEntries(Object.entries(fields).filter(([field]) => !(leftOut as string[]).includes(field)))
  return { schemaVersion: 1, kind: KIND, profile: writtenProfile({ name, fields: kept }), leftOut }
}

/** @throws WeftError E_PROFILE_INVALID */
export function importProfile(document: unknown): {
  readonly profile: Profile
  readonly leftOut: readonly ProfileField[]
} {
  const { schemaVersion, kind, profile, leftOut, ...more } = requireObject(document, 'the document')
  const [unknown] = Object.keys(more)
  if (kind !== KIND) throw noDocument(`kind is ${shown(kind)}, and must be "${KIND}"`, 'kind')
  if (schemaVersion !== 1)
    throw noDocument(`schemaVersion is ${shown(schemaVersion)}, and this version reads 1`, 'schemaVersion')
  if (unknown !== undefined) throw noDocument(`there is no field ${shown(unknown)} in it`, unknown.slice(0, 64))
  if (!isFields(leftOut)) throw noDocument(`leftOut is ${shown(leftOut)}, and must be a list of fields`, 'leftOut')
  return { profile: parseProfile(profile), leftOut }
}

/** @throws WeftError E_PROFILE_INVALID */
export function parseDocumentText(text: string): unknown {
  if (text.length > MAX_DOCUMENT) throw noDocument(`the document has more than ${MAX_DOCUMENT} characters`)
  try {
    // Editors put a byte order mark before it (RFC 8259, section 8.1).
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch {
    throw profileInvalid('the document is no JSON', 'Give what weft vpn profile export printed, unchanged.')
  }
}

function isFields(value: unknown): value is readonly ProfileField[] {
  return (
    Array.isArray(value) &&
    value.length <= PROFILE_FIELDS.length &&
    value.every((field) => (PROFILE_FIELDS as readonly unknown[]).includes(field))
  )
}

function noDocument(why: string, field?: string): ReturnType<typeof profileInvalid> {
  return profileInvalid(why, 'Give what weft vpn profile export printed; docs/specs/profiles.md has the form.', field)
}
