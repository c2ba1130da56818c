import type { Role } from '@weft/overlay'

/** Roles that this version performs besides `client`. No role is offered before it works. */
export const WORKING_ROLES = ['storage', 'entry', 'relay', 'exit', 'validator'] as const satisfies readonly Role[]

/** Named sets of roles; each names only what works in this version. */
const PRESETS = {
  /** A personal device: uses the network, serves nobody. */
  client: [],
  /** A server of a volunteer. */
  regular: ['storage', 'relay'],
  /** A strong server with a public address. */
  core: ['storage', 'entry', 'relay'],
  /** Leads routes out to the internet, in its own name. */
  exit: ['exit'],
  /** Admits others and signs the map; only the genesis validators of a network file can be one yet. */
  validator: ['validator'],
} as const satisfies Record<string, readonly Role[]>

export type Preset = keyof typeof PRESETS

export const PRESET_NAMES = Object.keys(PRESETS) as Preset[]

/** The explicit roles, else those of the preset. */
export function rolesOf(preset: Preset, roles: readonly Role[] | undefined): readonly Role[] {
  return (roles ?? PRESETS[preset]).filter((role) => role !== 'client')
}
