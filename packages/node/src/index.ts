/**
 * The light side of this package: settings and their explanation, without the daemon. The daemon itself is a process
 * (daemon-main.ts), and is spoken to by HTTP.
 */
export { DAEMON_NODE_FLAGS } from './daemon-flags.ts'
export { type SettingExplanation, explainSection, explainSetting } from './config/explain-setting.ts'
export { leftTunnel } from './daemon/left-tunnel.ts'
export { homeProfiles, readProfileDocument } from './daemon/home-profiles.ts'
export { killSwitchIsOrdered, killSwitchOff, killSwitchOn, killSwitchStatus } from './daemon/kill-switch.ts'
export type { EventName } from './events/event-ring.ts'
export { homeDirectory } from './config/home-directory.ts'
export { type Config, type Source, loadConfig } from './config/load-config.ts'
export { PRESET_NAMES, type Preset, WORKING_ROLES } from './config/roles.ts'
export type { Setting } from './config/setting.ts'
export { START_FLAGS } from './config/parse-flags.ts'
export { SETTING_KEYS, type SettingKey, type SettingValues, settingOf, variableOf } from './config/settings.ts'
export { GRANTS, type Grant, SCOPES, type Scope } from './http/scopes.ts'
export type {
  BridgeAnswer,
  DashboardLinkAnswer,
  IdAnswer,
  AttestationAnswer,
  JoinTokenAnswer,
  LeaveAnswer,
  LeasesAnswer,
  MemberAnswer,
  MembersAnswer,
  NetworkAnswer,
  NewBridgeInvitationAnswer,
  NewS3KeyAnswer,
  NewTokenAnswer,
  RevokedBridgeInvitationAnswer,
  RevokedS3KeyAnswer,
  S3KeysAnswer,
  TakeoverAnswer,
  VpnProfileAnswer,
  VpnProfilesAnswer,
  ChangedVpnProfileAnswer,
  ImportedVpnProfileAnswer,
  VpnProfileDocumentAnswer,
  DeletedVpnProfileAnswer,
  ObjectStatusAnswer,
  ImportAnswer,
  ObjectsAnswer,
  OneMemberAnswer,
  OwnObjectStatusAnswer,
  PeersAnswer,
  PingAnswer,
  RemovalAnswer,
  RemovalsAnswer,
  RenewalAnswer,
  ResourcesAnswer,
  RevocationsAnswer,
  RevokeAnswer,
  SessionAnswer,
  StatusAnswer,
  StoredAnswer,
  TokensAnswer,
  VpnExitsAnswer,
  VpnRouteAnswer,
  VpnChoicesAnswer,
  VpnVerifyAnswer,
  VpnStatusAnswer,
} from './routes/answers.ts'
export { VERSION } from './version.ts'
