import { utf8 } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { WatchMode } from '../liveness/watch-mode.ts'

/** Up to this many members everybody keeps a connection to everybody. */
export const FULL_MESH = 64

/**
 * To whom a node keeps connections: all members while they are few; beyond that the validators and the FULL_MESH
 * nearest by a hash of the pair, so that the links are spread evenly and stay when others come and go.
 * @param ranks of the members that this node has ranked before, brought up to date: 10,000 hashes take 50 ms
 */
export function neighboursOf(
  self: DidKey,
  members: readonly DidKey[],
  validators: readonly DidKey[],
  ranks = new Map<DidKey, number>(),
): Set<DidKey> {
  const others = members.filter((id) => id !== self)
  if (others.length <= FULL_MESH) return new Set([...others, ...validators.filter((id) => id !== self)])
  for (const id of others) if (!ranks.has(id)) ranks.set(id, pairRank(self, id))
  if (ranks.size > others.length) forgetOthers(ranks, new Set(others))
  const nearest = nearestOf(others, ranks)
  return new Set([...nearest, ...validators.filter((id) => id !== self)])
}

/**
 * By how much the farthest of another node's neighbours may lie beyond the farthest of one's own: the rank of the 64th
 * of many spreads by an eighth around the same value at each node.
 */
const HORIZON_SLACK = 1.5

/**
 * Whether one member keeps a connection to another where not everybody does, as far as a third can tell without ranking
 * all pairs: it may be mistaken about pairs at the border.
 */
export function whoMayKeep(
  self: DidKey,
  neighbours: ReadonlySet<DidKey>,
  validators: ReadonlySet<DidKey>,
): (keeper: DidKey, kept: DidKey) => boolean {
  let farthest = 0
  for (const id of neighbours.difference(validators)) farthest = Math.max(farthest, pairRank(self, id))
  return (keeper, kept) => validators.has(kept) || pairRank(keeper, kept) <= HORIZON_SLACK * farthest
}

/** How a node watches its neighbours, by the members of its map. */
export function watchModeOf(self: DidKey, members: readonly DidKey[]): WatchMode {
  if (!members.includes(self)) return 'alone'
  return members.length - 1 <= FULL_MESH ? 'mesh' : 'sparse'
}

/** Without sorting the members themselves, which takes ten times as long as sorting numbers. */
function nearestOf(members: readonly DidKey[], ranks: ReadonlyMap<DidKey, number>): DidKey[] {
  const distances = Float64Array.from(members, (id) => ranks.get(id) as number)
  const farthest = distances.toSorted()[FULL_MESH - 1] as number
  return members.filter((_, at) => (distances[at] as number) <= farthest).slice(0, FULL_MESH)
}

function forgetOthers(ranks: Map<DidKey, number>, members: ReadonlySet<DidKey>): void {
  for (const id of ranks.keys()) if (!members.has(id)) ranks.delete(id)
}

/** The first 48 bits of the hash of a pair: as good an order as all of it, and quick to compare. */
function pairRank(a: DidKey, b: DidKey): number {
  const [first, second] = a < b ? [a, b] : [b, a]
  const { buffer, byteOffset } = sha256(utf8(`weft:neighbour:v1\0${first}${second}`))
  const view = new DataView(buffer, byteOffset)
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2)
}
