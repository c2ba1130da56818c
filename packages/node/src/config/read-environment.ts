import { unknownName } from './config-error.ts'
import { SETTING_KEYS, type SettingKey, variableOf } from './settings.ts'

/**
 * Variables of the project that are no settings: the home, and what tests, benchmarks and the devnet use. A daemon
 * that is started by one of those inherits them.
 */
const RESERVED = /^WEFT_(HOME|SEED|LONG|FUZZ|TEST|BENCH|DEVNET|DEBUG)(_[A-Z0-9_]*)?$/

const KEY_OF_VARIABLE: ReadonlyMap<string, SettingKey> = new Map(SETTING_KEYS.map((key) => [variableOf(key), key]))

/** Settings from `WEFT_…` variables. @throws WeftError E_CONFIG_UNKNOWN on a variable that is no setting */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<SettingKey, string> {
  const found = new Map<SettingKey, string>()
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith('WEFT_') || RESERVED.test(name)) continue
    const key = KEY_OF_VARIABLE.get(name)
    if (key === undefined) throw unknownName('variable', name, [...KEY_OF_VARIABLE.keys()], 'The environment')
    found.set(key, value)
  }
  return found
}
