import { readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, type Logger, WeftError, messageOf } from '@weft/core'
import { type X25519KeyPair, eraseSecret, loadOrCreateX25519Key } from '@weft/crypto'
import { type NetworkFile, type Role, carriesPackets, onionKeyOverlapMs } from '@weft/overlay'
import { OnionKeys } from './onion-keys.ts'
import { type StatePaths, stateUnwritable } from './state-directory.ts'

/** The keys of an entry, relay or exit. */
export interface PacketKeys {
  /** The static key of its links. */
  readonly link: X25519KeyPair
  /** What circuit handshakes are made against. */
  readonly onion: OnionKeys
}

export interface PacketKeysInit {
  readonly roles: readonly Role[]
  readonly paths: Pick<StatePaths, 'linkKey' | 'onionKey' | 'onionKeys'>
  readonly networkFile: NetworkFile
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Reads them from the home, or makes them there; undefined for a node that carries no packets, whose onion keys are erased.
 * @throws WeftError E_KEY_FILE, E_STATE_UNWRITABLE, E_DISK_FULL
 */
export function loadPacketKeys({ roles, paths, networkFile, clock, logger }: PacketKeysInit): PacketKeys | undefined {
  const { linkKey, onionKey: firstKey, onionKeys: directory } = paths
  if (!carriesPackets(roles)) {
    eraseOnionKeys(firstKey, directory, logger)
    return undefined
  }
  const link = loadOrCreateX25519Key(linkKey)
  const overlapMs = onionKeyOverlapMs(networkFile)
  try {
    return { link, onion: new OnionKeys({ directory, firstKey, overlapMs, clock, logger }) }
  } catch (error) {
    throw error instanceof WeftError ? error : stateUnwritable(directory, error)
  }
}

/** Nobody will need them: should the node carry packets again, it has another certificate. */
function eraseOnionKeys(firstKey: string, directory: string, logger: Logger): void {
  try {
    eraseSecret(firstKey)
    const names = readdirSync(directory)
    const left = names.filter((name) => !isErased(join(directory, name), logger))
    if (left.length === 0) rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    logger.warn('onion keys of before could not be erased', { cause: messageOf(error) })
  }
}

/** One that cannot be erased does not keep the others. */
function isErased(path: string, logger: Logger): boolean {
  try {
    eraseSecret(path)
    return true
  } catch (error) {
    logger.warn('an onion key of before could not be erased', { cause: messageOf(error) })
    return false
  }
}
