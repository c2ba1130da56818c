import { join, resolve } from 'node:path'
import { defaultDevnetDirectory, isRunning, readDevnetState, stateDirectory } from '@weft/devnet'
import type { Invocation } from '../program/invocation.ts'

/**
 * The home of the daemon that a command speaks to: --home, else WEFT_HOME, else the person's own node of the devnet
 * that runs on this machine (in the default directory), else the XDG state directory.
 */
export function homeOf(invocation: Invocation): string {
  const { env } = invocation
  const asked = invocation.text('home') ?? env['WEFT_HOME']
  if (asked !== undefined && asked !== '') return resolve(asked)
  return runningClientHome(env) ?? stateDirectory(env)
}

function runningClientHome(env: NodeJS.ProcessEnv): string | undefined {
  const directory = defaultDevnetDirectory(env)
  const state = readDevnetState(directory)
  return state !== undefined && isRunning(state) ? join(directory, 'client') : undefined
}
