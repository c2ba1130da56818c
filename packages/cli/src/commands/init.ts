import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, WeftError, ensureDirectory } from '@weft/core'
import { ownHomeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'

/** Options of `weft init` and the setting that each one writes. */
const SETTINGS = [
  ['name', 'node.name'],
  ['preset', 'node.preset'],
  ['roles', 'node.roles'],
  ['family', 'node.family'],
  ['basePort', 'ports.base'],
  ['publicPort', 'ports.public'],
] as const

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const home = ownHomeOf(invocation)
  const configFile = join(home, 'weft.toml')
  if (existsSync(configFile) && !invocation.flag('force')) {
    throw new WeftError({
      code: 'E_ALREADY_INITIALISED',
      cause: `${configFile} exists already.`,
      fix: 'Edit it (weft config explain tells the settings), or write it anew with --force; keys are kept either way.',
    })
  }
  const text = await configText(invocation)
  const network = invocation.text('network')
  const networkText = network === undefined ? undefined : readNetworkText(network)
  try {
    ensureDirectory(home)
    if (networkText !== undefined) writeFileSync(join(home, 'network.json'), networkText, { mode: 0o600 })
    writeFileSync(configFile, text, { mode: 0o600 })
  } catch (error) {
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `The home ${home} cannot be set up: ${messageOf(error)}`,
      fix: 'Name a directory of your own with --home or WEFT_HOME.',
      origin: error,
    })
  }
  const hasNetwork = existsSync(join(home, 'network.json'))
  output.document({ home, configFile, networkFile: hasNetwork ? join(home, 'network.json') : null })
  output.print(`Wrote ${configFile}.`)
  output.note(
    hasNetwork
      ? 'Next: weft start'
      : 'Next: join a network (weft network join TOKEN, or weft init --network FILE with its file), or begin one: weft network create. Then: weft start',
  )
}

/** Read before anything is made. @throws WeftError E_NETWORK_FILE_MISSING */
function readNetworkText(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new WeftError({
      code: 'E_NETWORK_FILE_MISSING',
      cause: `The network file ${path} cannot be read: ${messageOf(error)}.`,
      fix: 'Name the file of the network to join with --network, or begin a network: weft network create.',
      origin: error,
    })
  }
}

/** The settings as TOML, each checked as the daemon will check it. @throws WeftError E_CONFIG_INVALID */
async function configText(invocation: Invocation): Promise<string> {
  const { loadConfig, settingOf } = await import('@weft/node')
  const given = SETTINGS.flatMap(([option, key]) => {
    const value = invocation.text(option)
    return value === undefined ? [] : [{ key, flag: `--${settingOf(key).flag ?? option}`, value }]
  })
  const { values } = await loadConfig(
    given.flatMap(({ flag, value }) => [flag, value]),
    { WEFT_HOME: '/nonexistent' },
  )
  const sections = new Map<string, string[]>()
  for (const { key } of given) {
    const [section, name] = key.split('.') as [string, string]
    const { summary, kind } = settingOf(key)
    sections.set(section, [...(sections.get(section) ?? []), `# ${summary}`, `${name} = ${kind.format(values[key])}`])
  }
  const head = '# Settings of this node. All of them, with their meaning: weft config explain\n'
  return head + [...sections].map(([section, lines]) => `\n[${section}]\n${lines.join('\n')}\n`).join('')
}
