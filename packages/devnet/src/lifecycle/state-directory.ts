import { accessSync, constants } from 'node:fs'
import { isDiskFull, messageOf, WeftError, ensureDirectory } from '@weft/core'

/** Makes the devnet's directory, for its owner alone. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
export function makeStateDirectory(directory: string): void {
  try {
    ensureDirectory(directory)
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unwritable(directory, error)
  }
}

/** An error of the file system below the devnet's directory in words; a WeftError passes through. */
export function unwritable(directory: string, error: unknown): WeftError {
  if (error instanceof WeftError) return error
  const full = isDiskFull(error)
  return new WeftError({
    code: full ? 'E_DISK_FULL' : 'E_STATE_UNWRITABLE',
    cause: `The directory ${directory} cannot be written to: ${messageOf(error)}.`,
    fix: full
      ? 'Free some space on its disk, or name another directory with --dir.'
      : 'Name a directory of your own with --dir, or correct its owner and mode.',
    origin: error,
  })
}
