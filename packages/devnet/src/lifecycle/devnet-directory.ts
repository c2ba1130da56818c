import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { WeftError } from '@weft/core'

/**
 * Bytes of a unix socket's path (unix(7): sun_path holds 108 with the closing zero; macOS holds 104, and 103 fit).
 * A longer one is cut silently or refused by the system with words that do not help.
 */
export const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107

/** Where Weft keeps its state unless told otherwise (XDG Base Directory Specification 0.8). */
export function stateDirectory(env: NodeJS.ProcessEnv): string {
  const state = env['XDG_STATE_HOME']
  // The specification: a relative path in these variables is to be ignored.
  return join(state?.startsWith('/') === true ? state : join(env['HOME'] ?? homedir(), '.local', 'state'), 'weft')
}

/** The devnet's directory when --dir is not given. */
export function defaultDevnetDirectory(env: NodeJS.ProcessEnv): string {
  return join(stateDirectory(env), 'devnet')
}

/** The absolute directory, refused when a socket below it would not fit. @throws WeftError E_SOCKET_PATH */
export function checkedDevnetDirectory(directory: string, names: readonly string[]): string {
  const absolute = resolve(directory)
  for (const path of [lifelinePath(absolute), ...names.map((name) => join(absolute, name, 'api.sock'))]) {
    const length = Buffer.byteLength(path)
    if (length <= MAX_SOCKET_PATH) continue
    throw new WeftError({
      code: 'E_SOCKET_PATH',
      cause: `The socket path ${path} has ${length} bytes; the system allows ${MAX_SOCKET_PATH}.`,
      fix: 'Choose a shorter directory with --dir.',
      details: { path, length, limit: MAX_SOCKET_PATH },
    })
  }
  return absolute
}

export function lifelinePath(directory: string): string {
  return join(directory, 'lifeline.sock')
}

export function networkFilePath(directory: string): string {
  return join(directory, 'network.json')
}

export function logPath(home: string): string {
  return join(home, 'logs', 'output.log')
}
