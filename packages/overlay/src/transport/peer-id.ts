import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { WeftError, concatBytes } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, toDidKey, wipe } from '@weft/crypto'

/** The libp2p name of a node; both names hold the same Ed25519 public key. @throws WeftError E_DID_INVALID */
export function toPeerId(id: DidKey): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(fromDidKey(id)))
}

/** @throws WeftError E_PEER_KEY_TYPE for a peer whose key is not Ed25519. */
export function didOfPeer(peer: PeerId): DidKey {
  if (peer.type !== 'Ed25519') {
    throw new WeftError({
      code: 'E_PEER_KEY_TYPE',
      cause: `A peer has a key of type ${peer.type}.`,
      fix: 'Every node of Weft has an Ed25519 key; `weft init` makes one.',
    })
  }
  return toDidKey(peer.publicKey.raw)
}

/** The node key in the form that libp2p signs its handshakes with. */
export function toPrivateKey(key: SigningKey): PrivateKey {
  const seed = key.seed()
  // With the public half at hand libp2p need not compute it, which takes it 2 ms in JavaScript.
  const raw = concatBytes([seed, key.publicKey])
  try {
    return privateKeyFromRaw(raw)
  } finally {
    wipe(seed, raw)
  }
}
