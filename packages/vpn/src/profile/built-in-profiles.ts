import type { Profile } from './profile.ts'

export const DEFAULT_PROFILE = 'default'

/** Those that every node has. They cannot be changed; what `default` says is the node's configuration. */
export const BUILT_IN_PROFILES: readonly Profile[] = [
  { name: DEFAULT_PROFILE, fields: {} },
  // Two legs in use raise what a hostile part of the network sees at both ends: one, and the spare.
  { name: 'private', fields: { tier: 'high', legs: 1, isolation: 'destination' } },
  { name: 'fast', fields: { tier: 'off', legs: 2 } },
]

export function isBuiltIn(name: string): boolean {
  return BUILT_IN_PROFILES.some((profile) => profile.name === name)
}
