import { rmSync } from 'node:fs'
import { isAlive } from '@weft/core'
import { endProcess, GRACE_MS } from './process/end-process.ts'
import { lifelinePath } from './lifecycle/devnet-directory.ts'
import type { DevnetState } from './lifecycle/devnet-state.ts'
import { allNodeProcesses } from './lifecycle/find-node-processes.ts'
import { unwritable } from './lifecycle/state-directory.ts'
import { stopNodes, type StopOptions } from './lifecycle/stop-nodes.ts'

export interface StopDevnetOptions extends StopOptions {
  /** Also removes the directory with everything in it: keys, objects, logs. */
  readonly erase?: boolean
}

export interface StoppedDevnet {
  /** Node processes that were alive. */
  readonly ended: number
  /** Of those, how many did not obey SIGTERM within the grace. */
  readonly killed: number
}

/** Ends a devnet, wherever it was started, and leaves no process of it. @throws WeftError E_STATE_UNWRITABLE when it cannot be erased */
export async function stopDevnet(state: DevnetState, options: StopDevnetOptions = {}): Promise<StoppedDevnet> {
  const before = allNodeProcesses(state.nodes).length
  const { supervisor } = state
  if (supervisor !== undefined && supervisor.pid !== process.pid && isAlive(supervisor)) {
    // It ends its nodes itself and says so in its terminal; twice the grace, as each of them has one.
    await endProcess(supervisor, { graceMs: 2 * GRACE_MS, ...(options.hurry && { hurry: options.hurry }) })
  }
  const { killed } = await stopNodes(state.nodes, options)
  rmSync(lifelinePath(state.directory), { force: true })
  if (options.erase === true) erase(state.directory)
  return { ended: before, killed }
}

function erase(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true })
  } catch (error) {
    throw unwritable(directory, error)
  }
}
