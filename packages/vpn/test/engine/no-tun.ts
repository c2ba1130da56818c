import type { EngineInit } from '../../src/engine/engine-init.ts'
import type { ListPlaces } from '../../src/tun/split-programs.ts'

/** Of a node whose machine goes its own way. */
export const NO_TUN: EngineInit['tun'] = {
  isWanted: false,
  exclude: [],
  include: [],
  excludePrograms: { users: [], cgroups: [] },
  includePrograms: { users: [], cgroups: [] },
  places: { exclude: placesOf('exclude'), include: placesOf('include') },
  stateFile: '/nonexistent/tun.json',
}

/** Lists of programs that the settings have. */
export function placesOf(which: 'exclude' | 'include'): ListPlaces {
  const place = (kind: string) => ({ name: `vpn.tun_${which}_${kind}`, remedy: 'restart the daemon' })
  return { users: place('users'), cgroups: place('cgroups') }
}
