import { join, resolve } from 'node:path'
import type { Role } from '@weft/overlay'
import { configError } from './config-error.ts'
import { homeDirectory } from './home-directory.ts'
import { parseFlags } from './parse-flags.ts'
import { readConfigFile } from './read-config-file.ts'
import { readEnvironment } from './read-environment.ts'
import { rolesOf } from './roles.ts'
import { SETTING_KEYS, type SettingKey, type SettingValues, settingOf, variableOf } from './settings.ts'

/** Where the value of a setting came from. */
export type Source = 'default' | 'file' | 'environment' | 'flag'

/** What a daemon starts with: every setting with its origin, and the flags of this start. */
export interface Config {
  readonly home: string
  readonly values: SettingValues
  readonly sources: Readonly<Record<SettingKey, Source>>
  /** Without `client`. */
  readonly roles: readonly Role[]
  /** Absolute. */
  readonly networkFile: string
  readonly lifeline: string | undefined
  readonly readyFd: number | undefined
}

/**
 * weft.toml, then the environment, then flags: the later wins.
 * @throws WeftError E_CONFIG_UNKNOWN (names the nearest valid one), E_CONFIG_INVALID (names the setting and its source)
 */
export async function loadConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Config> {
  const flags = parseFlags(args)
  const home = homeDirectory(flags.start.home, environment)
  const path = join(home, 'weft.toml')
  const layers: readonly (readonly [Source, string, ReadonlyMap<SettingKey, unknown>])[] = [
    ['file', path, await readConfigFile(path)],
    ['environment', 'the environment', readEnvironment(environment)],
    ['flag', 'the command line', flags.settings],
  ]
  const values: Record<string, unknown> = {}
  const sources: Record<string, Source> = {}
  for (const key of SETTING_KEYS) {
    values[key] = settingOf(key).fallback
    sources[key] = 'default'
    for (const [source, where, given] of layers) {
      if (!given.has(key)) continue
      values[key] = parseValue(key, given.get(key), source, where)
      sources[key] = source
    }
  }
  const settings = values as SettingValues
  refusePortOverlap(settings)
  refuseClaimAboveLimit(settings)
  refuseWorkersWithIp(settings)
  const roles = rolesOf(settings['node.preset'], settings['node.roles'])
  refuseForwardingMember(settings, roles)
  refuseListedBridge(settings, roles)
  refuseHalfIdentity(settings)
  return {
    home,
    values: settings,
    sources: sources as Record<SettingKey, Source>,
    roles,
    networkFile:
      sources['network.file'] === 'flag' ? resolve(settings['network.file']) : resolve(home, settings['network.file']),
    lifeline: flags.start.lifeline,
    readyFd: descriptorOf(flags.start['ready-fd']),
  }
}

function parseValue(key: SettingKey, value: unknown, source: Source, where: string): unknown {
  const { kind, flag } = settingOf(key)
  try {
    return kind.parse(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const written =
      source === 'flag' && flag !== undefined ? `--${flag}` : source === 'environment' ? variableOf(key) : key
    throw configError(
      `${written} in ${where} ${error.message}.`,
      `Write ${kind.syntax}; see weft config explain ${key}.`,
      { key, source },
    )
  }
}

function refusePortOverlap(values: SettingValues): void {
  const base = values['ports.base']
  const open = values['ports.public']
  if (open < base + 6 && base < open + 4) {
    throw configError(
      `ports.base ${base} to ${base + 5} and ports.public ${open} to ${open + 3} overlap.`,
      'Choose ports.base or ports.public so that the two ranges lie apart.',
    )
  }
  const packets = values['ports.packets']
  if (packets === undefined) return
  if ((packets >= base && packets < base + 6) || packets === open || packets === open + 1) {
    throw configError(
      `ports.packets ${packets} is one of ports.base ${base} to ${base + 5}, or of ports.public ${open} and ${open + 1}, which others listen on.`,
      'Choose another, such as 443; or leave it out, for ports.public + 2.',
    )
  }
}

/** What a node claims is what others choose it by. */
function refuseClaimAboveLimit(values: SettingValues): void {
  const claimed = values['node.bandwidth_mbps']
  const limit = values['relay.limit_mbps']
  if (claimed === undefined || limit === undefined || claimed <= limit) return
  throw configError(
    `node.bandwidth_mbps claims ${claimed} Mbit/s, and relay.limit_mbps lets the node carry ${limit}.`,
    'Raise relay.limit_mbps, or claim no more than it lets through.',
    { key: 'relay.limit_mbps' },
  )
}

/** Clients' IP packets go through one interface, which one thread reads. */
function refuseWorkersWithIp(values: SettingValues): void {
  if (values['exit.ip'] === 'off' || values['vpn.workers'] === 1) return
  throw configError(
    `exit.ip is on, and vpn.workers is ${values['vpn.workers']}: IP packets of clients are carried by one worker only.`,
    'Set vpn.workers = 1, or exit.ip = "off".',
    { key: 'vpn.workers' },
  )
}

/** A member carries packets by its roles, and validators give it no lease. */
function refuseForwardingMember(values: SettingValues, roles: readonly Role[]): void {
  if (!values['node.forward'] || roles.length === 0) return
  throw configError(
    `node.forward is true, and the node has the roles ${roles.join(', ')}: leases are for clients.`,
    'Set node.forward = false in weft.toml, or run the node as a client (--roles client).',
    { key: 'node.forward' },
  )
}

/** Whoever has a role or a lease is listed with its address, which is what a bridge must not be. */
function refuseListedBridge(values: SettingValues, roles: readonly Role[]): void {
  if (!values['bridge.enabled'] || (roles.length === 0 && !values['node.forward'])) return
  throw configError(
    `bridge.enabled is true, and the node ${roles.length === 0 ? 'asks for a lease (node.forward)' : `has the roles ${roles.join(', ')}`}: others would read its address in a list, and a bridge is of use as long as it stands in none.`,
    'Run the bridge on a machine and at an address of its own, as a client (--roles client, node.forward = false).',
    { key: 'bridge.enabled' },
  )
}

function refuseHalfIdentity(values: SettingValues): void {
  const keys = ['bridge.certificate', 'bridge.certificate_key'] as const
  const [missing, ...more] = keys.filter((key) => values[key] === undefined)
  if (missing === undefined || more.length > 0) return
  throw configError(`${missing} is not set, and the other of certificate and key is.`, 'Set both, or neither.', {
    key: missing,
  })
}

function descriptorOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,4}$/.test(text))
    throw configError(
      `--ready-fd must be the number of an open file descriptor, and is '${text.slice(0, 64)}'.`,
      'Write --ready-fd 3, say.',
    )
  return Number(text)
}
