import type { ProcessIdentity } from '@weft/core'
import { findProcessesByHome } from '../process/find-processes.ts'
import { readProcessRecord } from '../process/process-record.ts'
import type { DevnetNode } from './devnet-state.ts'

/** The live process of a node by its record: cheap. */
export function nodeProcess(node: DevnetNode): ProcessIdentity | undefined {
  return readProcessRecord(node.home)
}

/** Every live process of these nodes: those on record, and those that a starter which died did not get to note. */
export function allNodeProcesses(
  nodes: readonly DevnetNode[],
): readonly { readonly node: DevnetNode; readonly identity: ProcessIdentity }[] {
  return nodes.flatMap((node) => {
    const recorded = readProcessRecord(node.home)
    const found = findProcessesByHome(node.home)
    const unique = new Map(
      [...found, ...(recorded === undefined ? [] : [recorded])].map((identity) => [identity.pid, identity]),
    )
    return [...unique.values()].map((identity) => ({ node, identity }))
  })
}
