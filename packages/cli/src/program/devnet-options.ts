import { resolve } from 'node:path'
import {
  defaultDevnetDirectory,
  type DevnetNode,
  type DevnetState,
  requireDevnetState,
  requireNode,
} from '@weft/devnet'
import type { Invocation } from './invocation.ts'

/** --dir, else the default directory. */
export function devnetDirectory(invocation: Invocation): string {
  const asked = invocation.text('dir')
  return asked === undefined ? defaultDevnetDirectory(invocation.env) : resolve(asked)
}

/** The devnet that the command is about. @throws WeftError E_DEVNET_NONE */
export function requestedDevnet(invocation: Invocation): DevnetState {
  return requireDevnetState(devnetDirectory(invocation))
}

/**
 * The names of the nodes that the command is about, each once: all of them exist before anything is done to one.
 * @throws WeftError E_DEVNET_NODE_UNKNOWN
 */
export function requestedNodes(invocation: Invocation, state: DevnetState): readonly DevnetNode['name'][] {
  return [...new Set(invocation.args.map((nameOrId) => requireNode(state, nameOrId).name))]
}
