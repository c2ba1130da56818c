import { resolve } from 'node:path'
import { defaultDevnetDirectory, type DevnetState, requireDevnetState } from '@weft/devnet'
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
