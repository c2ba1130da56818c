import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, WeftError, type ProcessIdentity } from '@weft/core'
import type { DevnetRole } from '../plan/plan-nodes.ts'
import type { NodePorts } from '../plan/port-block.ts'
import { writeFileAtomically } from './write-file-atomically.ts'

export interface DevnetNode {
  readonly name: string
  readonly id: string
  readonly roles: readonly DevnetRole[]
  readonly client: boolean
  /** Its operator in the table of simulated places; clients have none. */
  readonly family: string | undefined
  readonly home: string
  readonly ports: NodePorts
}

/** What a devnet's directory says of it, in devnet.json. Each node's process stands in a file of its own. */
export interface DevnetState {
  readonly schemaVersion: 1
  readonly directory: string
  readonly networkName: string
  readonly seed: string
  readonly basePort: number
  /** ms since the epoch. */
  readonly createdAt: number
  /**
   * The process in the foreground whose end is the network's end; undefined for a network in the background. Its
   * nodes hold a connection to the lifeline socket and exit when that closes.
   */
  readonly supervisor: ProcessIdentity | undefined
  /** Rules CIDR:PORT of what its exits dial beside public addresses; undefined for any port of this machine but the devnet's own. */
  readonly exitAllow?: readonly string[] | undefined
  readonly nodes: readonly DevnetNode[]
}

const statePath = (directory: string): string => join(directory, 'devnet.json')

/** Undefined when the directory holds no devnet. @throws WeftError E_DEVNET_STATE when the file makes no sense. */
export function readDevnetState(directory: string): DevnetState | undefined {
  let text: string
  try {
    text = readFileSync(statePath(directory), 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw stateError(directory, messageOf(error))
  }
  try {
    const state = JSON.parse(text) as DevnetState
    if (state.schemaVersion !== 1) throw new Error(`its schemaVersion is ${String(state.schemaVersion)}, not 1`)
    if (!Array.isArray(state.nodes) || !Number.isInteger(state.basePort))
      throw new Error('it has no nodes or no base port')
    return { ...state, directory }
  } catch (error) {
    throw stateError(directory, messageOf(error))
  }
}

export function writeDevnetState(state: DevnetState): void {
  writeFileAtomically(statePath(state.directory), `${JSON.stringify(state, undefined, 2)}\n`)
}

/** @throws WeftError E_DEVNET_NONE when the directory holds no devnet. */
export function requireDevnetState(directory: string): DevnetState {
  const state = readDevnetState(directory)
  if (state !== undefined) return state
  throw new WeftError({
    code: 'E_DEVNET_NONE',
    cause: `There is no devnet in ${directory}.`,
    fix: `Start one: weft devnet up --dir ${directory}, or name another directory with --dir.`,
  })
}

/** The node with this name or id. @throws WeftError E_DEVNET_NODE_UNKNOWN */
export function requireNode(state: DevnetState, nameOrId: string): DevnetNode {
  const node = state.nodes.find(({ name, id }) => name === nameOrId || id === nameOrId)
  if (node !== undefined) return node
  throw new WeftError({
    code: 'E_DEVNET_NODE_UNKNOWN',
    cause: `The devnet in ${state.directory} has no node '${nameOrId}'.`,
    fix: `Give one of ${state.nodes.map(({ name }) => name).join(', ')}, or a node's id.`,
  })
}

function stateError(directory: string, why: string): WeftError {
  return new WeftError({
    code: 'E_DEVNET_STATE',
    cause: `${statePath(directory)} cannot be used: ${why}.`,
    fix: `Erase the directory when nothing in it is wanted (rm -r ${directory}), or name another with --dir.`,
  })
}
