import type { EngineInit, MachineWays } from '../engine/engine-init.ts'
import { type ListPlace, configuredPlaces } from '../tun/split-programs.ts'
import type { Profile, ProfileField, ResolvedFields } from './profile.ts'

/**
 * @param resolved what the profile says, and for what it leaves out the configuration
 * @param dns where names are answered when they are
 */
export function machineWaysOf(
  profile: Profile,
  resolved: ResolvedFields,
  dns: NonNullable<EngineInit['dns']>,
): MachineWays {
  const [exclude, include] = [configuredPlaces('exclude'), configuredPlaces('include')]
  return {
    dns: resolved.dns === 'exit' ? dns : undefined,
    tun: {
      isWanted: resolved.tun === 'on',
      exclude: resolved.tunExclude,
      include: resolved.tunInclude,
      excludePrograms: { users: resolved.tunExcludeUsers, cgroups: resolved.tunExcludeCgroups },
      includePrograms: { users: resolved.tunIncludeUsers, cgroups: resolved.tunIncludeCgroups },
      places: {
        exclude: {
          users: placeOf(profile, 'tunExcludeUsers', exclude.users),
          cgroups: placeOf(profile, 'tunExcludeCgroups', exclude.cgroups),
        },
        include: {
          users: placeOf(profile, 'tunIncludeUsers', include.users),
          cgroups: placeOf(profile, 'tunIncludeCgroups', include.cgroups),
        },
      },
    },
  }
}

/** The profile where it says the list itself. */
function placeOf({ name, fields }: Profile, field: ProfileField, configured: ListPlace): ListPlace {
  if (!(field in fields)) return configured
  return { name: `${field} of the profile '${name}'`, remedy: `weft vpn profile set ${name}, weft vpn up` }
}
