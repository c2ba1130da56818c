import type { ProfileFields, ResolvedFields } from './profile.ts'
import type { RouteProfile } from './route-profile.ts'

/** What the settings of a node say of fields that profiles have as well. */
export type ConfiguredFields = Pick<
  ResolvedFields,
  | 'tun'
  | 'tunExclude'
  | 'tunInclude'
  | 'tunExcludeUsers'
  | 'tunIncludeUsers'
  | 'tunExcludeCgroups'
  | 'tunIncludeCgroups'
  | 'dns'
>

/** Of what has no setting. */
const FALLBACK: Omit<ResolvedFields, keyof ConfiguredFields> = {
  exit: 'auto',
  hops: 3,
  tier: 'standard',
  legs: 2,
  isolation: 'credentials',
  rotationMinutes: 10,
  killSwitch: 'off',
}

/** Each field that a profile leaves out is as configured; a list that it has is the whole list. */
export function resolveProfile(fields: ProfileFields, configured: ConfiguredFields): ResolvedFields {
  return { ...FALLBACK, ...configured, ...fields }
}

/** What routes are made by. */
export function routeProfileOf(resolved: ResolvedFields): RouteProfile {
  const { exit, hops, tier, legs, isolation, rotationMinutes } = resolved
  return { exit, hops, tier, legs, isolation, rotationMs: rotationMinutes * 60_000 }
}
