import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '@weft/core'
import { configError, unknownName } from './config-error.ts'
import { SETTING_KEYS, type SettingKey } from './settings.ts'

/** Bytes; a weft.toml that sets everything has two thousand. */
const MAX_CONFIG = 256 * 1024

/** Settings from weft.toml; none when there is no such file. @throws WeftError E_CONFIG_INVALID, E_CONFIG_UNKNOWN */
export async function readConfigFile(path: string): Promise<ReadonlyMap<SettingKey, unknown>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    // A home that is no directory, or that this user may not enter, is told as such when it is opened.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return new Map()
    if (!mayEnter(dirname(path))) return new Map()
    throw configError(
      `The configuration ${path} cannot be read: ${messageOf(error)}.`,
      'Make it readable for the user that runs the daemon.',
    )
  }
  return parseConfig(text, path)
}

/** @param where the name of the file, for errors */
export async function parseConfig(text: string, where: string): Promise<ReadonlyMap<SettingKey, unknown>> {
  if (text.length > MAX_CONFIG)
    throw configError(
      `${where} has ${text.length} characters; the limit is ${MAX_CONFIG}.`,
      'Remove what is no setting.',
    )
  const { parse } = await import('smol-toml')
  let tables: Record<string, unknown>
  try {
    tables = parse(text)
  } catch (error) {
    throw configError(
      `${where} is not valid TOML${lineOf(error)}: ${messageOf(error).split('\n')[0] as string}.`,
      'Mend that line; the format is TOML 1.0.',
    )
  }
  const found = new Map<SettingKey, unknown>()
  for (const [section, table] of Object.entries(tables)) {
    if (typeof table !== 'object' || table === null || Array.isArray(table) || table instanceof Date) {
      throw unknownName('key', section, SETTING_KEYS, where)
    }
    for (const [name, value] of Object.entries(table)) {
      const key = SETTING_KEYS.find((known) => known === `${section}.${name}`)
      if (key === undefined) throw unknownName('key', `${section}.${name}`, SETTING_KEYS, where)
      found.set(key, value)
    }
  }
  return found
}

/** smol-toml says in fields where it stopped. */
function lineOf(error: unknown): string {
  const { line, column } = error as { line?: unknown; column?: unknown }
  return typeof line === 'number' && typeof column === 'number' ? ` in line ${line}, column ${column}` : ''
}

function mayEnter(directory: string): boolean {
  try {
    accessSync(directory, constants.X_OK)
    return true
  } catch {
    return false
  }
}
