import { closeSync, openSync, readSync } from 'node:fs'
import { WeftError, messageOf } from '@weft/core'

/** A network file that was found to be one. */
export interface NetworkRead {
  /** As it stands in the file. */
  readonly text: string
  readonly id: string
  readonly name: string
}

/**
 * Reads a network file and judges it as the daemon will at its start.
 * @throws WeftError E_NETWORK_FILE_MISSING, E_NETWORK_FILE, E_SIMULATED_NOT_LOOPBACK, E_POLICY_UNAVAILABLE
 */
export async function readNetwork(path: string): Promise<NetworkRead> {
  // Loaded here alone: the rest of this package does without the overlay's weight.
  const { MAX_NETWORK_FILE, networkIdOf, parseNetworkFile, requireUsablePolicy } = await import('@weft/overlay')
  let text: string
  try {
    text = readAtMost(path, MAX_NETWORK_FILE + 1)
  } catch (error) {
    throw new WeftError({
      code: 'E_NETWORK_FILE_MISSING',
      cause: `The network file ${path} cannot be read: ${messageOf(error)}.`,
      fix: 'Name the file of the network to join with --network, or begin a network: weft network create.',
      origin: error,
    })
  }
  try {
    const file = parseNetworkFile(text)
    requireUsablePolicy(file)
    return { text, id: networkIdOf(file), name: file.name }
  } catch (error) {
    if (!(error instanceof WeftError)) throw error
    throw new WeftError({ ...error.toJSON(), cause: `${path}: ${error.cause}`, origin: error })
  }
}

/** What is longer is refused all the same, and a device may have no end. */
function readAtMost(path: string, limit: number): string {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(limit)
    let length = 0
    for (;;) {
      const read = readSync(file, bytes, length, limit - length, null)
      length += read
      if (read === 0 || length === limit) return bytes.toString('utf8', 0, length)
    }
  } finally {
    closeSync(file)
  }
}
