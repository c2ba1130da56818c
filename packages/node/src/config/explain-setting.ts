import { unknownName } from './config-error.ts'
import { SETTING_KEYS, type SettingKey, settingOf, variableOf } from './settings.ts'

/** What a person may ask of a setting. Plain data: `weft config explain KEY` prints it. */
export interface SettingExplanation {
  readonly key: SettingKey
  readonly summary: string
  readonly syntax: string
  /** As one would write it in weft.toml; undefined when there is none, then `absent` says what happens. */
  readonly fallback: string | undefined
  readonly absent: string | undefined
  readonly variable: string
  /** With the dashes. */
  readonly flag: string | undefined
}

/** @throws WeftError E_CONFIG_UNKNOWN */
export function explainSetting(key: string): SettingExplanation {
  const known = SETTING_KEYS.find((candidate) => candidate === key)
  if (known === undefined) throw unknownName('key', key, SETTING_KEYS, 'The question')
  const { summary, kind, fallback, absent, flag } = settingOf(known)
  return {
    key: known,
    summary,
    syntax: kind.syntax,
    fallback: fallback === undefined ? undefined : kind.format(fallback),
    absent,
    variable: variableOf(known),
    flag: flag === undefined ? undefined : `--${flag}`,
  }
}
