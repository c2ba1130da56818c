import { join, resolve } from 'node:path'
import { defaultDevnetDirectory, isRunning, readDevnetState, stateDirectory } from '@weft/devnet'
import type { Invocation } from '../program/invocation.ts'

/**
 * The home of the daemon that a command speaks to: --home, else WEFT_HOME, else the person's own node of the devnet
 * that runs on this machine (in the default directory), else the XDG state directory.
 */
export function homeOf(invocation: Invocation): string {
  return askedHome(invocation) ?? runningClientHome(invocation.env) ?? stateDirectory(invocation.env)
}

/**
 * The home of a node that a command sets up or starts: --home, else WEFT_HOME, else the XDG state directory. Never a
 * node of a devnet, which belongs to the devnet's commands.
 */
export function ownHomeOf(invocation: Invocation): string {
  return askedHome(invocation) ?? stateDirectory(invocation.env)
}

function askedHome(invocation: Invocation): string | undefined {
  const asked = invocation.text('home') ?? invocation.env['WEFT_HOME']
  return asked === undefined || asked === '' ? undefined : resolve(asked)
}

function runningClientHome(env: NodeJS.ProcessEnv): string | undefined {
  const directory = defaultDevnetDirectory(env)
  const state = readDevnetState(directory)
  return state !== undefined && isRunning(state) ? join(directory, 'client') : undefined
}
