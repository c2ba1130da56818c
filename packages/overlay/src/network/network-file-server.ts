import { WeftError, utf8 } from '@weft/core'
import { METHODS } from '@weft/wire'
import type { Rpc } from '../rpc.ts'
import type { NetworkFile } from './network-file.ts'

/** Room for the message around the text. */
const ENVELOPE = 64

/**
 * Hands the network file to whoever asks (`network.file`): those who join with no more than its id. It is no secret, and
 * the id says whether it is the right one.
 */
export function serveNetworkFile(rpc: Pick<Rpc, 'handle'>, network: NetworkFile): void {
  const file = utf8(JSON.stringify(network))
  rpc.handle('network.file', async () => {
    if (file.length + ENVELOPE <= METHODS['network.file'].maxResponse) return { file }
    throw new WeftError({
      code: 'E_NETWORK_FILE',
      cause: `The network file has ${file.length} bytes, too many to be handed out on a connection.`,
      fix: 'Copy the file itself to the node that joins: weft init --network FILE.',
    })
  })
}
