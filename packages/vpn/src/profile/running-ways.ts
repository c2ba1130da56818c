import type { MachineWays } from '../engine/engine-init.ts'
import type { ProfileField } from './profile.ts'

/** With what the VPN was put up. */
export interface RunningWays {
  readonly dns: MachineWays['dns']
  /** Undefined without a tunnel. */
  readonly tun: MachineWays['tun'] | undefined
}

/** What a VPN that is up does not do yet of what its profile says. */
export interface PendingWays {
  readonly fields: readonly ProfileField[]
  /** up: it opens what is missing; again: only when it was put down before, as something that stands has to end. */
  readonly takes: 'up' | 'again' | undefined
}

/** What stands is left as it is; a tunnel that is missing is opened. */
export function waysAfterUp(before: RunningWays | undefined, wanted: MachineWays, tun: boolean): RunningWays {
  return {
    dns: before === undefined ? wanted.dns : before.dns,
    tun: before?.tun ?? (tun ? wanted.tun : undefined),
  }
}

/**
 * @param running undefined while the VPN is down: then nothing is left to do
 * @param tun whether there is to be a tunnel, by the profile or by who put the VPN up
 */
export function pendingWays(running: RunningWays | undefined, wanted: MachineWays, tun: boolean): PendingWays {
  if (running === undefined) return { fields: [], takes: undefined }
  const fields: ProfileField[] = []
  if ((running.tun !== undefined) !== tun) fields.push('tun')
  else if (running.tun !== undefined) fields.push(...otherLists(running.tun, wanted.tun))
  if ((running.dns === undefined) !== (wanted.dns === undefined)) fields.push('dns')
  if (fields.length === 0) return { fields, takes: undefined }
  const isOpening = fields.length === 1 && fields[0] === 'tun' && running.tun === undefined
  return { fields, takes: isOpening ? 'up' : 'again' }
}

function otherLists(running: MachineWays['tun'], wanted: MachineWays['tun']): ProfileField[] {
  const before = listsOf(running)
  const after = listsOf(wanted)
  return before.flatMap(([field, list], at) => (list.join('\n') === after[at]?.[1].join('\n') ? [] : [field]))
}

function listsOf(tun: MachineWays['tun']): readonly (readonly [ProfileField, readonly string[]])[] {
  const { exclude, include, excludePrograms, includePrograms } = tun
  return [
    ['tunExclude', exclude],
    ['tunInclude', include],
    ['tunExcludeUsers', excludePrograms.users],
    ['tunIncludeUsers', includePrograms.users],
    ['tunExcludeCgroups', excludePrograms.cgroups],
    ['tunIncludeCgroups', includePrograms.cgroups],
  ]
}
