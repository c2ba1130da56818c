import type { EngineInit, MachineWays } from '../engine/engine-init.ts'
import type { ListPlace, ListPlaces } from '../tun/split-programs.ts'
import type { Profile, ProfileField, ResolvedFields } from './profile.ts'
import { settingOf } from './setting-of.ts'

/**
 * @param resolved what the profile says, and for what it leaves out the configuration
 * @param dns where names are answered when they are
 */
export function machineWaysOf(
  profile: Profile,
  resolved: ResolvedFields,
  dns: NonNullable<EngineInit['dns']>,
): MachineWays {
  const places = (which: 'Exclude' | 'Include'): ListPlaces => ({
    users: placeOf(profile, `tun${which}Users`),
    cgroups: placeOf(profile, `tun${which}Cgroups`),
  })
  return {
    dns: resolved.dns === 'exit' ? dns : undefined,
    tun: {
      isWanted: resolved.tun === 'on',
      exclude: resolved.tunExclude,
      include: resolved.tunInclude,
      excludePrograms: { users: resolved.tunExcludeUsers, cgroups: resolved.tunExcludeCgroups },
      includePrograms: { users: resolved.tunIncludeUsers, cgroups: resolved.tunIncludeCgroups },
      places: { exclude: places('Exclude'), include: places('Include') },
    },
  }
}

/** The profile where it says the list itself, else the setting. */
function placeOf({ name, fields }: Profile, field: ProfileField): ListPlace {
  return field in fields
    ? { name: `${field} of the profile '${name}'`, remedy: `weft vpn profile set ${name}, weft vpn up` }
    : { name: settingOf(field), remedy: 'restart the daemon' }
}
