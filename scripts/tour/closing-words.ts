import { homedir } from 'node:os'
import { join } from 'node:path'
import { defaultDevnetDirectory, devnetStatus, type DevnetState, requireNode } from '@weft/devnet'
import { curlLine } from './fetch-over-proxy.ts'
import { bold, megabytes, type Narrator } from './narrator.ts'

/** What the network costs, what to try next (lines that work when pasted), where its state is and how to erase it. */
export async function closingWords(state: DevnetState, ref: string | undefined, narrator: Narrator): Promise<void> {
  const { nodes } = await devnetStatus(state)
  const sum = (of: (node: (typeof nodes)[number]) => number | undefined): number =>
    nodes.reduce((total, node) => total + (of(node) ?? 0), 0)
  const pss = sum(({ memory }) => memory?.pssBytes)
  const rss = sum(({ memory }) => memory?.rssBytes)
  const isDefault = state.directory === defaultDevnetDirectory(process.env)
  const home = isDefault ? '' : ` --home ${join(state.directory, 'client')}`
  const dir = isDefault ? '' : ` --dir ${state.directory}`
  narrator.line()
  narrator.line(bold('To try next, in another terminal, here:'))
  const lines = [
    `npx weft status${home}`,
    `npx weft members${home}`,
    // Larger than what is kept whole in its record: it has shards to look at.
    `npx weft put package-lock.json${home}`,
    ...(ref === undefined ? [] : [`npx weft stat '${ref}'${home}`]),
    curlLine(requireNode(state, 'client').ports.proxy, 'https://example.org/'),
    `npx weft vpn route${home}`,
    `npx weft vpn status${home}`,
    `npx weft devnet kill storage3${dir} && npx weft devnet status${dir}`,
    `npx weft devnet restart storage3${dir}`,
    `npx weft dashboard${home}`,
    'npx weft --help',
  ]
  for (const line of lines) narrator.line(`     ${line}`)
  narrator.line()
  narrator.line(
    `Memory: ${nodes.filter(({ pid }) => pid !== undefined).length} processes, ${pss > 0 ? `${megabytes(pss)} in all (shared pages counted once), ` : ''}${megabytes(rss)} resident.`,
  )
  narrator.line(
    `State:  ${state.directory.replace(`${homedir()}/`, '~/')} (keys, objects, logs). To erase it: npx weft devnet down --erase${dir}`,
  )
}
