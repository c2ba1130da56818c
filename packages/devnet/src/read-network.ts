import { WeftError } from '@weft/core'

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
  const { networkIdOf, readNetworkFile, requireUsablePolicy } = await import('@weft/overlay')
  const { file, text } = readNetworkFile(path)
  try {
    requireUsablePolicy(file)
  } catch (error) {
    if (!(error instanceof WeftError)) throw error
    throw new WeftError({ ...error.toJSON(), cause: `${path}: ${error.cause}`, origin: error })
  }
  return { text, id: networkIdOf(file), name: file.name }
}
