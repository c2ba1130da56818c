import { WeftError } from '@weft/core'
import { nearest } from './nearest.ts'
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
  if (known === undefined) throw unknownSetting(key)
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

/** All of a section, such as `vpn`, or of all sections; empty where there is no such section. */
export function explainSection(section?: string): readonly SettingExplanation[] {
  return SETTING_KEYS.filter((key) => section === undefined || key.startsWith(`${section}.`)).map(explainSetting)
}

function unknownSetting(key: string): WeftError {
  const meant = nearest(key, SETTING_KEYS)
  return new WeftError({
    code: 'E_CONFIG_UNKNOWN',
    cause: `There is no setting '${key.slice(0, 64)}'.`,
    fix: `${meant === undefined ? '' : `Did you mean '${meant}'? `}weft config explain lists all of them.`,
    details: { name: key.slice(0, 64), ...(meant === undefined ? {} : { nearest: meant }) },
  })
}
