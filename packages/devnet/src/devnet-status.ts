import { isWeftError } from '@weft/core'
import { ApiClient } from './api/api-client.ts'
import { type MemoryUsage, memoryUsage } from './process/memory-usage.ts'
import type { DevnetNode, DevnetState } from './lifecycle/devnet-state.ts'
import { nodeProcess } from './lifecycle/find-node-processes.ts'
import { type NetworkView, viewNetwork } from './lifecycle/network-view.ts'
import { isRunning } from './start-devnet.ts'

/** ms; a daemon that takes longer to list its members is as good as not answering. */
const ASK_MS = 3_000

export interface DevnetNodeStatus extends DevnetNode {
  readonly pid: number | undefined
  readonly memory: MemoryUsage | undefined
}

export interface DevnetStatus {
  readonly running: boolean
  readonly nodes: readonly DevnetNodeStatus[]
  /** What the first client that answers sees; undefined when none does. */
  readonly view: NetworkView | undefined
}

/** Which nodes of a devnet live, what they occupy, and how whole the network is in a client's eyes. */
export async function devnetStatus(state: DevnetState, signal?: AbortSignal): Promise<DevnetStatus> {
  const nodes = state.nodes.map((node): DevnetNodeStatus => {
    const pid = nodeProcess(node)?.pid
    return { ...node, pid, memory: pid === undefined ? undefined : memoryUsage(pid) }
  })
  return { running: isRunning(state), nodes, view: await firstView(state, nodes, signal) }
}

async function firstView(
  state: DevnetState,
  nodes: readonly DevnetNodeStatus[],
  signal: AbortSignal | undefined,
): Promise<NetworkView | undefined> {
  for (const { home, client, pid } of nodes) {
    if (!client || pid === undefined) continue
    const limit = AbortSignal.timeout(ASK_MS)
    try {
      return await viewNetwork(
        new ApiClient(home),
        state,
        signal === undefined ? limit : AbortSignal.any([signal, limit]),
      )
    } catch (error) {
      if (signal?.aborted === true) throw error
      // This client cannot tell; its own status says why. The other one may.
      if (!isWeftError(error)) throw error
    }
  }
  return undefined
}
