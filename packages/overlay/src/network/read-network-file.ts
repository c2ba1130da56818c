import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { WeftError, messageOf } from '@weft/core'
import { MAX_NETWORK_FILE, type NetworkFile, parseNetworkFile } from './network-file.ts'

/** Bytes that are read at once: most network files have fewer. */
const PIECE = 64 * 1024

/** A network file that was found to be one. */
export interface NetworkFileRead {
  readonly file: NetworkFile
  /** As it stands on the disk. */
  readonly text: string
}

/** Reads no more of it than a network file may have. @throws WeftError E_NETWORK_FILE_MISSING, and those of parseNetworkFile */
export function readNetworkFile(path: string): NetworkFileRead {
  let text: string
  try {
    text = readAtMost(path, MAX_NETWORK_FILE + 1)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EISDIR')
      throw new WeftError({
        code: 'E_NETWORK_FILE_MISSING',
        cause: `${path} is a directory, and no network file.`,
        fix: `Name the file itself, e.g. ${join(path, 'network.json')}.`,
        origin: error,
      })
    const missing = code === 'ENOENT'
    throw new WeftError({
      code: 'E_NETWORK_FILE_MISSING',
      cause: missing
        ? `There is no network file at ${path}.`
        : `The network file ${path} cannot be read: ${messageOf(error)}.`,
      fix: 'Join a network with a token (weft network join -) or with its file (weft init --network FILE), make a network of your own (weft network create), or try one on this machine: weft devnet up.',
      origin: error,
    })
  }
  try {
    return { file: parseNetworkFile(text), text }
  } catch (error) {
    if (!(error instanceof WeftError)) throw error
    throw new WeftError({ ...error.toJSON(), cause: `${path}: ${error.cause}`, origin: error })
  }
}

/** What is longer is refused all the same, and a device may have no end. */
function readAtMost(path: string, limit: number): string {
  const file = openSync(path, 'r')
  try {
    const pieces: Buffer[] = []
    for (let left = limit; left > 0;) {
      const piece = Buffer.alloc(Math.min(PIECE, left))
      const read = readSync(file, piece, 0, piece.length, null)
      if (read === 0) break
      pieces.push(piece.subarray(0, read))
      left -= read
    }
    return Buffer.concat(pieces).toString('utf8')
  } finally {
    closeSync(file)
  }
}
