import { join } from 'node:path'
import { ensureDirectory, type ProcessIdentity } from '@weft/core'
import { loadOrCreateKey, loadOrCreateX25519Key } from '@weft/crypto'
import { networkFilePath } from '../lifecycle/devnet-directory.ts'
import { type DevnetNode, type DevnetState, writeDevnetState } from '../lifecycle/devnet-state.ts'
import { writeFileAtomically } from '../lifecycle/write-file-atomically.ts'
import { devnetNetworkFile } from './network-file.ts'
import { type DevnetRole, planNodes } from './plan-nodes.ts'
import { portBlock } from './port-block.ts'
import { seedFor } from './seed.ts'
import { syntheticPlaces } from './synthetic-places.ts'

/** Nodes with one of these have two keys more (packages/node, loadPacketKeys). */
const PACKET_ROLES: ReadonlySet<DevnetRole> = new Set(['entry', 'relay', 'exit'])

export interface NewDevnet {
  readonly directory: string
  readonly nodes: number
  readonly basePort: number
  readonly seed: string
  /** ms since the epoch. */
  readonly now: number
  readonly supervisor: ProcessIdentity | undefined
  readonly exitAllow: readonly string[] | undefined
}

/**
 * Writes a new devnet: the keys of every node and person (from the seed), the network file, devnet.json.
 * @throws WeftError E_DEVNET_SIZE, E_KEY_FILE; system errors of the directory
 */
export function createDevnet(options: NewDevnet): DevnetState {
  const { directory, basePort, seed, now, supervisor, exitAllow } = options
  const plan = planNodes(options.nodes)
  const places = syntheticPlaces(seed, plan)
  const nodes = plan.map(({ name, roles, client }, index): DevnetNode => {
    const home = join(directory, name)
    ensureDirectory(home)
    const key = loadOrCreateKey(join(home, 'node.key'), seedFor(seed, `node ${name}`))
    loadOrCreateKey(join(home, 'person.key'), seedFor(seed, `person ${name}`))
    if (roles.some((role) => PACKET_ROLES.has(role))) {
      loadOrCreateX25519Key(join(home, 'link.key'), seedFor(seed, `link ${name}`))
      loadOrCreateX25519Key(join(home, 'onion.key'), seedFor(seed, `onion ${name}`))
    }
    return {
      name,
      id: key.id,
      roles,
      client,
      family: places.get(name)?.family,
      home,
      ports: portBlock(basePort, index),
    }
  })
  const networkName = 'devnet'
  const file = devnetNetworkFile(networkName, now, nodes, places)
  writeFileAtomically(networkFilePath(directory), `${JSON.stringify(file, undefined, 2)}\n`)
  const state: DevnetState = {
    schemaVersion: 1,
    directory,
    networkName,
    seed,
    basePort,
    createdAt: now,
    supervisor,
    exitAllow,
    nodes,
  }
  writeDevnetState(state)
  return state
}
