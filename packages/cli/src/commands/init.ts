import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
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
  try {
    ensureDirectory(home)
    if (network !== undefined) copyFileSync(network, join(home, 'network.json'))
    writeFileSync(configFile, text, { mode: 0o600 })
  } catch (error) {
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `The home ${home} cannot be set up: ${messageOf(error)}`,
      fix: 'Name a directory of your own with --home or WEFT_HOME, and a readable file with --network.',
      origin: error,
    })
  }
  const hasNetwork = existsSync(join(home, 'network.json'))
  output.document({ home, configFile, networkFile: hasNetwork ? join(home, 'network.json') : null })
  output.print(`Wrote ${configFile}.`)
  output.note(
    hasNetwork
      ? 'Next: weft start'
      : 'Next: put the network file of the network to join at network.json in that directory (weft init --network FILE copies it), or begin one: weft network create. Then: weft start',
  )
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
