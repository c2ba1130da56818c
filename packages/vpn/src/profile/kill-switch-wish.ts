import type { KillSwitchSetting } from './profile.ts'

/** What a profile wants of the kill switch. */
export interface KillSwitchWish {
  readonly on: boolean
  /** The local network is reached all the same. */
  readonly allowLan: boolean
}

/** Puts it on, or takes it off; the same when repeated. It throws where it cannot, and nothing goes on as if it had. */
export type ApplyKillSwitch = (wish: KillSwitchWish) => Promise<void>

export function killSwitchWish(setting: KillSwitchSetting): KillSwitchWish {
  return { on: setting !== 'off', allowLan: setting === 'allow-lan' }
}

/** From what lets everything out to what lets nothing out. */
const BY_STRICTNESS: readonly KillSwitchSetting[] = ['off', 'allow-lan', 'on']

/** That of both which lets out less. */
export function stricterOf(a: KillSwitchSetting, b: KillSwitchSetting): KillSwitchSetting {
  return BY_STRICTNESS.indexOf(a) > BY_STRICTNESS.indexOf(b) ? a : b
}
