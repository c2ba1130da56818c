import { readFileSync, statSync } from 'node:fs'
import { WeftError, isWeftError, messageOf, replaceFile } from '@weft/core'

/** The text of a file that only its owner may read; undefined when there is none. @throws WeftError E_BRIDGE_FILE */
export function readSecretFile(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    const mode = statSync(path).mode & 0o777
    if ((mode & 0o077) === 0) return text
    throw bridgeFile(
      path,
      `others may read it (mode ${mode.toString(8)})`,
      `Run chmod 600 ${path}; if others used this machine, ask for new lines, or make new invitations.`,
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (isWeftError(error)) throw error
    throw bridgeFile(path, messageOf(error), 'Make it readable for the user that runs the daemon.')
  }
}

/** Writes it with mode 0600, whole or not at all. @throws WeftError E_BRIDGE_FILE */
export function writeSecretFile(path: string, text: string): void {
  try {
    replaceFile(path, text)
  } catch (error) {
    throw bridgeFile(path, messageOf(error), 'Make room on the disk and the home writable, and try again.')
  }
}

export function bridgeFile(path: string, why: string, fix: string): WeftError {
  return new WeftError({ code: 'E_BRIDGE_FILE', cause: `The file ${path} cannot be used: ${why}.`, fix })
}
