/** The VPN of a node: routes over three hops, the proxy that leads into them, and what the node carries for others. */
export type { EngineInit, MachineWays } from './engine/engine-init.ts'
export { DEFAULT_PROFILE, isBuiltIn } from './profile/built-in-profiles.ts'
export { checkCountry } from './profile/check-country.ts'
export { type ProfileChange, compareProfiles } from './profile/compare-profiles.ts'
export { type ApplyKillSwitch, type KillSwitchWish, killSwitchWish, stricterOf } from './profile/kill-switch-wish.ts'
export { machineWaysOf } from './profile/machine-ways.ts'
export { parseProfileFields, parseProfileName } from './profile/parse-profile.ts'
export {
  type ProfileDocument,
  MAX_DOCUMENT,
  exportProfile,
  importProfile,
  parseDocumentText,
} from './profile/profile-document.ts'
export { foreignWarnings, killSwitchMissing, profileWarnings } from './profile/profile-warnings.ts'
export { PROFILE_FIELDS } from './profile/profile-values.ts'
export { PROFILES_FILE, ProfilesFile, type PutMode } from './profile/profiles-file.ts'
export type { Profile, ProfileField, ProfileFields, ResolvedFields } from './profile/profile.ts'
export { type ConfiguredFields, resolveProfile, routeProfileOf } from './profile/resolve-profile.ts'
export type { RouteProfile } from './profile/route-profile.ts'
export type { PendingWays } from './profile/running-ways.ts'
export { type VpnInit, VpnService, createVpn } from './service/create-vpn.ts'
export type { ServiceWays } from './service/service-ways.ts'
export {
  KillSwitch,
  type KillSwitchOrder,
  type KillSwitchPlaces,
  type KillSwitchStatus,
} from './kill-switch/kill-switch.ts'
export { readKnownNodes } from './kill-switch/known-nodes.ts'
export { DISCARD_REASONS, type DiscardReason } from './route/discard-reason.ts'
export { outsideAddresses } from './route/outside-addresses.ts'
export { LinuxTun, ReadableWait, loadLinuxTunCalls } from './tun/linux-tun.ts'
export { OwnIssuer, serveIssuer } from './receipts/rpc-issuer.ts'
export { UnbackedIssuer } from './receipts/unbacked-issuer.ts'
export { leftRules } from './tun/machine-rules.ts'
export type * from './vpn.ts'
