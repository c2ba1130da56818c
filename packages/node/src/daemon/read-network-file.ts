import { readFileSync } from 'node:fs'
import { WeftError, messageOf } from '@weft/core'
import { type NetworkFile, parseNetworkFile } from '@weft/overlay'

/** @throws WeftError E_NETWORK_FILE_MISSING, and those of parseNetworkFile */
export function readNetworkFile(path: string): NetworkFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
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
    return parseNetworkFile(text)
  } catch (error) {
    if (!(error instanceof WeftError)) throw error
    throw new WeftError({ ...error.toJSON(), cause: `${path}: ${error.cause}`, origin: error })
  }
}
