import { WeftError } from '@weft/core'
import { endProcess } from './process/end-process.ts'
import type { DaemonCommand } from './lifecycle/daemon-command.ts'
import { type DevnetNode, type DevnetState, requireNode } from './lifecycle/devnet-state.ts'
import { nodeProcess } from './lifecycle/find-node-processes.ts'
import { spawnNode } from './lifecycle/spawn-node.ts'
import { waitUntilStarted } from './lifecycle/wait-until-started.ts'
import { isRunning } from './start-devnet.ts'

export interface RestartOptions {
  readonly daemon: DaemonCommand
  readonly signal: AbortSignal
}

/**
 * Starts a node again, whether it was killed or runs (then it is stopped first), and resolves when its daemon is ready.
 * @throws WeftError E_DEVNET_STOPPED, E_DEVNET_NODE_UNKNOWN, E_DEVNET_NODE_DIED, E_ABORTED
 */
export async function restartNode(
  state: DevnetState,
  nameOrId: string,
  options: RestartOptions,
): Promise<{ readonly node: DevnetNode; readonly pid: number }> {
  const node = requireNode(state, nameOrId)
  if (!isRunning(state)) {
    throw new WeftError({
      code: 'E_DEVNET_STOPPED',
      cause: `The devnet in ${state.directory} does not run.`,
      fix: `Start all of it: weft devnet up --dir ${state.directory}`,
    })
  }
  const running = nodeProcess(node)
  if (running !== undefined) await endProcess(running, { hurry: options.signal })
  const { identity, exited, logStart } = spawnNode(state, node, options.daemon)
  await waitUntilStarted({ name: node.name, home: node.home, pid: identity.pid, exited, logStart }, options.signal)
  return { node, pid: identity.pid }
}
