import { WeftError } from '@weft/core'
import { endProcess } from './process/end-process.ts'
import { type DevnetState, requireNode } from './lifecycle/devnet-state.ts'
import { nodeProcess } from './lifecycle/find-node-processes.ts'

/** Kills a node as a power cut would: SIGKILL. @returns the pid. @throws WeftError E_DEVNET_NODE_UNKNOWN, E_DEVNET_NODE_STOPPED */
export async function killNode(
  state: DevnetState,
  nameOrId: string,
): Promise<{ readonly name: string; readonly id: string; readonly pid: number }> {
  const node = requireNode(state, nameOrId)
  const identity = nodeProcess(node)
  if (identity === undefined) {
    throw new WeftError({
      code: 'E_DEVNET_NODE_STOPPED',
      cause: `${node.name} does not run.`,
      fix: `Start it again: weft devnet restart ${node.name} --dir ${state.directory}`,
    })
  }
  await endProcess(identity, { graceMs: 0 })
  return { name: node.name, id: node.id, pid: identity.pid }
}
