import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { WeftError, messageOf } from '@weft/core'
import { usageError } from './usage-error.ts'

/** Bytes a read: fewer, larger pieces cost less on the way through the socket. */
const READ_SIZE = 512 * 1024

export interface FileSource {
  /** Bytes, where known. */
  readonly size: number | undefined
  readonly stream: Readable
}

/**
 * Opens a file to be read once, or standard input for `-`.
 * @param ofDirectory the error for a directory. @throws WeftError E_USAGE, E_FILE_NOT_FOUND, E_NOT_PERMITTED, E_FILE
 */
export async function openSource(path: string, ofDirectory: (path: string) => WeftError): Promise<FileSource> {
  if (path === '-') {
    if (process.stdin.isTTY)
      throw usageError('Standard input is a terminal.', 'Pipe something into it, or name a file.')
    return { size: undefined, stream: process.stdin }
  }
  try {
    const info = await stat(path)
    await access(path, constants.R_OK)
    if (info.isDirectory()) throw ofDirectory(path)
    return {
      // A pipe or a device has no length that could be announced.
      size: info.isFile() ? info.size : undefined,
      stream: createReadStream(path, { highWaterMark: READ_SIZE }),
    }
  } catch (error) {
    throw error instanceof WeftError ? error : fileError(path, error)
  }
}

function fileError(path: string, error: unknown): WeftError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT')
    return new WeftError({
      code: 'E_FILE_NOT_FOUND',
      cause: `There is no file ${path}.`,
      fix: 'Name a file that exists, or - for standard input.',
    })
  if (code === 'EACCES')
    return new WeftError({
      code: 'E_NOT_PERMITTED',
      cause: `You may not read ${path}.`,
      fix: 'Correct its mode, or run the command as its owner.',
    })
  return new WeftError({
    code: 'E_FILE',
    cause: `${path} cannot be read: ${messageOf(error)}`,
    fix: 'Name a readable file, or - for standard input.',
    origin: error,
  })
}
