import { type X25519KeyPair, loadOrCreateX25519Key } from '@weft/crypto'
import { type Role, carriesPackets } from '@weft/overlay'
import type { StatePaths } from './state-directory.ts'

/** The keys of an entry, relay or exit. */
export interface PacketKeys {
  /** The static key of its links. */
  readonly link: X25519KeyPair
  /** What circuit handshakes are made against. */
  readonly onion: X25519KeyPair
}

/** Reads them from the home, or makes them there; undefined for a node that carries no packets. @throws WeftError E_KEY_FILE */
export function loadPacketKeys(roles: readonly Role[], paths: StatePaths): PacketKeys | undefined {
  if (!carriesPackets(roles)) return undefined
  return { link: loadOrCreateX25519Key(paths.linkKey), onion: loadOrCreateX25519Key(paths.onionKey) }
}
