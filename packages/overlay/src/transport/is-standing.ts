import { protocolId } from '@weft/wire'

/** Protocols of libp2p that are spoken on every connection: identify and ping, and gossipsub. */
const OF_LIBP2P = ['/ipfs/', '/meshsub/']

/** Whether a stream of this protocol is there for as long as its connection is, used or not. */
export function isStanding(protocol: string, networkId: string): boolean {
  return protocol === protocolId(networkId, 'rpc') || OF_LIBP2P.some((prefix) => protocol.startsWith(prefix))
}
