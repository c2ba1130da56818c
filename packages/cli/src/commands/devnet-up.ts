import { type DevnetProgress, type DevnetState, nodeProcess, type RunningDevnet, startDevnet } from '@weft/devnet'
import { parsePortRule } from '@weft/core'
import { daemonCommand } from '../daemon/daemon-command.ts'
import { formatDuration } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { devnetDirectory } from '../program/devnet-options.ts'
import type { Invocation } from '../program/invocation.ts'
import { onFurtherInterrupt } from '../program/interrupts.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const detach = invocation.flag('detach')
  const exitAllow = invocation.texts('exitAllow')
  for (const rule of exitAllow) parsePortRule(rule)
  const started = performance.now()
  const devnet = await startDevnet({
    directory: devnetDirectory(invocation),
    nodes: invocation.integer('nodes', 1, 1_000),
    basePort: invocation.integer('basePort', 1, 65_535),
    seed: invocation.text('seed'),
    exitAllow: exitAllow.length === 0 ? undefined : exitAllow,
    attached: !detach,
    daemon: daemonCommand(),
    signal,
    timeoutMs: invocation.duration('timeout'),
    onProgress: progressNotes(output),
  })
  output.note(originWords(devnet, performance.now() - started))
  output.document(devnetDocument(devnet.state))
  output.print(...devnetLines(devnet.state))
  if (detach || devnet.origin === 'reused') return
  output.note('Ctrl-C stops it.')
  await untilAborted(signal)
  await stopped(devnet, output)
}

async function stopped(devnet: RunningDevnet, output: Output): Promise<void> {
  const hurry = new AbortController()
  onFurtherInterrupt(() => hurry.abort())
  output.note('Stopping. A second Ctrl-C stops it at once.')
  await devnet.stop({ hurry: hurry.signal, onProgress: progressNotes(output) })
  output.note('Stopped; no process is left. Its data stays: weft devnet up continues it.')
}

/** What scripts rely on (docs/specs/cli.md, Commands). */
function devnetDocument(state: DevnetState): Record<string, unknown> {
  return {
    dir: state.directory,
    seed: state.seed,
    nodes: state.nodes.map((node) => ({
      name: node.name,
      id: node.id,
      roles: node.client ? ['client'] : node.roles,
      pid: nodeProcess(node)?.pid ?? null,
      home: node.home,
      ports: node.ports,
    })),
  }
}

function devnetLines(state: DevnetState): string[] {
  const { api, proxy } = state.nodes[0]?.ports ?? { api: state.basePort, proxy: state.basePort + 1 }
  return [
    `directory  ${state.directory}`,
    `your node  ${state.nodes[0]?.home ?? ''}, API http://127.0.0.1:${api}/`,
    `proxy      socks5h://127.0.0.1:${proxy}`,
    `seed       ${state.seed}`,
  ]
}

function originWords({ state, origin, revived }: RunningDevnet, ms: number): string {
  const count = state.nodes.length
  if (origin === 'reused') {
    const again = revived.length === 0 ? '' : `; started again: ${revived.join(', ')}`
    return `The devnet in ${state.directory} runs already, with ${count} nodes${again}.`
  }
  const how = origin === 'continued' ? 'The devnet goes on where it was stopped' : 'A new devnet is up'
  return `${how}: ${count} nodes in ${formatDuration(ms)}.`
}

/** One line a change, on stderr. */
export function progressNotes(output: Output): (progress: DevnetProgress) => void {
  let last = ''
  return ({ text }) => {
    if (text !== last) output.note(`  ${text}`)
    last = text
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // An idle process without a timer or a socket would end; the lifeline's socket is what keeps this one.
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
