import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { WeftError } from '@weft/core'
import { type NetworkRead, initHome, readNetwork } from '@weft/devnet'
import { ownHomeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

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
  const networkFile = join(home, 'network.json')
  const asked = invocation.text('network')
  const keeps = existsSync(configFile) && !invocation.flag('force')
  // A home that was set up before is given its network by the same command.
  if (keeps && (asked === undefined || SETTINGS.some(([option]) => invocation.text(option) !== undefined))) {
    throw new WeftError({
      code: 'E_ALREADY_INITIALISED',
      cause: `${configFile} exists already.`,
      fix: 'Edit it (weft config explain tells the settings), or write it anew with --force; keys are kept either way. With --network FILE alone it stays as it is.',
    })
  }
  const settings = keeps ? undefined : await configText(invocation)
  const network = asked === undefined ? undefined : await readNetwork(asked)
  const expected = invocation.text('networkId')
  if (expected !== undefined) requireNetwork(network, expected, asked)
  const node = await initHome({ home, settings, network })
  const hasNetwork = existsSync(networkFile)
  output.document({
    home,
    configFile,
    networkFile: hasNetwork ? networkFile : null,
    node,
    network: network === undefined ? null : { id: network.id, name: network.name },
  })
  output.print(
    `${keeps ? 'Kept' : 'Wrote'} ${configFile}.`,
    `node     ${node}`,
    ...(network === undefined ? [] : [`network  ${network.name} (${network.id})`]),
  )
  output.note(
    hasNetwork
      ? `Next: weft start${invocation.text('home') === undefined ? '' : ` --home ${home}`}`
      : 'Its id is what weft network create --validator and weft network invite --for ask for. Next: join a network (weft network join - with a token, or weft init --network FILE with its file), or begin one: weft network create. Then: weft start',
  )
}

/** @throws WeftError E_USAGE without a file, E_NETWORK_MISMATCH when it is that of another network */
function requireNetwork(network: NetworkRead | undefined, expected: string, path: string | undefined): void {
  if (network === undefined) {
    throw usageError('--network-id is given without a network file.', 'Name the file as well: --network FILE.')
  }
  if (network.id === expected) return
  throw new WeftError({
    code: 'E_NETWORK_MISMATCH',
    cause: `${path} is the file of the network ${network.name} (${network.id}), not of ${expected}.`,
    fix: 'Ask for the file again, or for the id: weft network show prints it at any node of the network.',
  })
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
