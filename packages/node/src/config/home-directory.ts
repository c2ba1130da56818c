import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The state directory: what was asked for, else `weft` in the XDG state directory (XDG Base Directory 0.8). */
export function homeDirectory(
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (asked !== undefined && asked !== '') return resolve(asked)
  const home = environment['WEFT_HOME']
  if (home !== undefined && home !== '') return resolve(home)
  const state = environment['XDG_STATE_HOME']
  // The specification says that a relative path is to be ignored.
  const base = state !== undefined && state.startsWith('/') ? state : join(homedir(), '.local', 'state')
  return join(base, 'weft')
}
