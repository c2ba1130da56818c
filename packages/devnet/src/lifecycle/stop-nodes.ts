import { endProcess } from '../process/end-process.ts'
import { removeProcessRecord } from '../process/process-record.ts'
import type { DevnetNode } from './devnet-state.ts'
import { allNodeProcesses } from './find-node-processes.ts'
import type { OnProgress } from './progress.ts'

export interface StopOptions {
  /** Aborted: everything still alive is killed at once. */
  readonly hurry?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Ends every process of these nodes, all at once. @returns how many there were, and how many had to be killed */
export async function stopNodes(
  nodes: readonly DevnetNode[],
  options: StopOptions = {},
): Promise<{ readonly ended: number; readonly killed: number }> {
  const processes = allNodeProcesses(nodes)
  const total = processes.length
  let done = 0
  const results = await Promise.all(
    processes.map(async ({ identity }) => {
      const result = await endProcess(identity, { ...(options.hurry && { hurry: options.hurry }) })
      done++
      options.onProgress?.({ step: 'stopping', done, total, text: `${done} of ${total} nodes stopped` })
      return result
    }),
  )
  for (const node of nodes) removeProcessRecord(node.home)
  return { ended: total, killed: results.filter((result) => result === 'killed').length }
}
