import type { ProfileField, ProfileFields } from './profile.ts'
import { PROFILE_FIELDS } from './profile-values.ts'

type FieldValue = NonNullable<ProfileFields[ProfileField]>

/** One field that is another; undefined where it is left out. */
export interface ProfileChange {
  readonly field: ProfileField
  readonly from: FieldValue | undefined
  readonly to: FieldValue | undefined
}

/** What is another in the second one. */
export function compareProfiles(before: ProfileFields, after: ProfileFields): readonly ProfileChange[] {
  return PROFILE_FIELDS.map((field) => ({ field, from: before[field], to: after[field] })).filter(
    ({ from, to }) => JSON.stringify(from) !== JSON.stringify(to),
  )
}
