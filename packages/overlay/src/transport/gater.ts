import type { ConnectionGater } from '@libp2p/interface'

/** Refuses keys that are not Ed25519: no node of this network has another. */
export const GATER: ConnectionGater = {
  denyDialMultiaddr: () => false,
  denyDialPeer: (peer) => peer.type !== 'Ed25519',
  denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
  denyOutboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
}
