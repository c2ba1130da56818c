import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isWeftError, utf8 } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { HomeChanges, networkExists } from './home-changes.ts'
import { type NetworkRead, readNetwork } from './read-network.ts'

export interface HomeToInit {
  readonly home: string
  /** The text of weft.toml; undefined leaves the one that is there. */
  readonly settings: string | undefined
  /** The network that the node is to be of. */
  readonly network: NetworkRead | undefined
}

/**
 * Sets the home of a node up: its key, unless it has one, its settings and the file of its network. When it fails it
 * leaves nothing of its own behind.
 * @returns the id of the node
 * @throws WeftError E_NETWORK_EXISTS when the home is of another network; E_KEY_FILE, E_STATE_UNWRITABLE, E_DISK_FULL
 */
export async function initHome({ home, settings, network }: HomeToInit): Promise<DidKey> {
  const path = join(home, 'network.json')
  const known = existsSync(path)
  if (known && network !== undefined && (await readNetwork(path)).id !== network.id) throw networkExists(path)
  const changes = new HomeChanges(home)
  try {
    const { id } = changes.nodeKey()
    if (network !== undefined && !known) changes.add('network.json', network.text)
    if (settings !== undefined) changes.replace('weft.toml', utf8(settings))
    return id
  } catch (error) {
    // Another one was quicker: what is there is its own.
    if (!isWeftError(error, 'E_NETWORK_EXISTS')) changes.undo()
    throw error
  }
}
