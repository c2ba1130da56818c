import { WeftError, toHex } from '@weft/core'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import type { EntryList } from './entry-list.ts'
import { MapPages } from './map-pages.ts'
import { packChanges } from './pack-changes.ts'
import type { SignedMembership } from './signed-membership.ts'
import { answerSubtrees, pickEntries } from './subtree-question.ts'

/** What was packed for one map. */
interface PackedMap {
  readonly pages: MapPages
  /** MapChanges, packed, by the root that they start from, hex; as many as the history has steps. */
  readonly changes: Map<string, Uint8Array>
}

/** Serves the held map to whoever asks; they verify it. What many ask for is packed once. */
export function serveMap(rpc: Pick<Rpc, 'handle'>, membership: SignedMembership, network: Pick<Network, 'term'>): void {
  const packed = new WeakMap<EntryList, PackedMap>()
  const packedOf = (list: EntryList): PackedMap => {
    let known = packed.get(list)
    if (known === undefined) packed.set(list, (known = { pages: new MapPages(list.bytes()), changes: new Map() }))
    return known
  }
  rpc.handle('map.head', async () => {
    const map = membership.head()
    const term = network.term.number
    return map === undefined ? { term } : { map, term }
  })
  rpc.handle('map.entries', async ({ root, page }) => ({ packed: packedOf(listOf(membership, root)).pages.page(page) }))
  rpc.handle('map.changes', async ({ from, to }) => {
    const { changes } = packedOf(listOf(membership, to))
    const known = changes.get(toHex(from)) ?? packChanges(membership, from, to)
    changes.set(toHex(from), known)
    return { packed: known }
  })
  rpc.handle('map.subtrees', async ({ root, ...question }) => {
    const { hashes, starts } = answerSubtrees(listOf(membership, root), question)
    return { hashes, starts: [...starts] }
  })
  rpc.handle('map.pick', async ({ root, positions }) => ({
    entries: pickEntries(listOf(membership, root), positions),
  }))
}

/** The entries of the held map, or of the one before. @throws WeftError E_MAP_ROOT_UNKNOWN */
export function listOf(membership: SignedMembership, root: Uint8Array): EntryList {
  const list = membership.list(root)
  if (list !== undefined) return list
  throw new WeftError({
    code: 'E_MAP_ROOT_UNKNOWN',
    cause: 'This node does not hold a map with that root.',
    fix: 'Ask for the head of the map again, or ask another node.',
    retryable: true,
  })
}
