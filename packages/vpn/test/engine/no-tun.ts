import type { EngineInit } from '../../src/engine/engine-init.ts'

/** Of a node whose machine goes its own way. */
export const NO_TUN: EngineInit['tun'] = {
  isWanted: false,
  exclude: [],
  include: [],
  excludePrograms: { users: [], cgroups: [] },
  includePrograms: { users: [], cgroups: [] },
  stateFile: '/nonexistent/tun.json',
}
