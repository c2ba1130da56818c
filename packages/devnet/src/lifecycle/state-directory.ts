import { accessSync, constants, mkdirSync } from 'node:fs'
import { messageOf, WeftError } from '@weft/core'

/** Makes the devnet's directory, for its owner alone. @throws WeftError E_STATE_UNWRITABLE */
export function makeStateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `The directory ${directory} cannot be written to: ${messageOf(error)}.`,
      fix: 'Name a directory of your own with --dir, or correct its owner and mode.',
      origin: error,
    })
  }
}
