import { configError, unknownName } from './config-error.ts'
import { SETTING_KEYS, type SettingKey, settingOf } from './settings.ts'

/** Flags of the daemon that are not settings: they belong to one start, not to the node. */
export const START_FLAGS = {
  home: 'State directory of the node (also WEFT_HOME; default: the XDG state directory, in weft).',
  lifeline: 'Unix socket to hold open: the daemon stops when the other side closes it.',
  'ready-fd': 'File descriptor to which the line of JSON goes that says that the daemon is ready.',
} as const

export interface ParsedFlags {
  readonly start: Partial<Record<keyof typeof START_FLAGS, string>>
  readonly settings: ReadonlyMap<SettingKey, string>
}

const KEY_OF_FLAG: ReadonlyMap<string, SettingKey> = new Map(
  SETTING_KEYS.flatMap((key) => {
    const { flag } = settingOf(key)
    return flag === undefined ? [] : [[flag, key] as const]
  }),
)

/** Every flag of the daemon, without the dashes. */
const FLAG_NAMES: readonly string[] = [...Object.keys(START_FLAGS), ...KEY_OF_FLAG.keys()]

/**
 * Reads `--name value` and `--name=value`.
 * @throws WeftError E_CONFIG_UNKNOWN, E_CONFIG_INVALID (no value, twice, or a word that is no flag)
 */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const start: Partial<Record<keyof typeof START_FLAGS, string>> = {}
  const settings = new Map<SettingKey, string>()
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string
    const match = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(word)
    if (match === null)
      throw configError(
        `'${word.slice(0, 64)}' is not a flag of the daemon.`,
        `Write --NAME VALUE; flags are: ${FLAG_NAMES.join(', ')}.`,
      )
    const name = match[1] as string
    if (!FLAG_NAMES.includes(name))
      throw unknownName(
        'flag',
        `--${name}`,
        FLAG_NAMES.map((flag) => `--${flag}`),
        'The command line',
      )
    const value = match[2] ?? args[++at]
    if (value === undefined || (match[2] === undefined && value.startsWith('--'))) {
      throw configError(`The flag --${name} has no value.`, `Write --${name} VALUE.`)
    }
    const key = KEY_OF_FLAG.get(name)
    if (key === undefined ? name in start : settings.has(key)) {
      throw configError(`The flag --${name} is given twice.`, 'Give it once.')
    }
    if (key === undefined) start[name as keyof typeof START_FLAGS] = value
    else settings.set(key, value)
  }
  return { start, settings }
}
