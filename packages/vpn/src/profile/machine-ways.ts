import type { EngineInit, MachineWays } from '../engine/engine-init.ts'
import type { ResolvedFields } from './profile.ts'

/** @param dns where names are answered when they are */
export function machineWaysOf(resolved: ResolvedFields, dns: NonNullable<EngineInit['dns']>): MachineWays {
  return {
    dns: resolved.dns === 'exit' ? dns : undefined,
    tun: {
      isWanted: resolved.tun === 'on',
      exclude: resolved.tunExclude,
      include: resolved.tunInclude,
      excludePrograms: { users: resolved.tunExcludeUsers, cgroups: resolved.tunExcludeCgroups },
      includePrograms: { users: resolved.tunIncludeUsers, cgroups: resolved.tunIncludeCgroups },
    },
  }
}
