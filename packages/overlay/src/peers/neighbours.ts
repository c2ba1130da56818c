import { utf8 } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { WatchMode } from '../liveness/watch-mode.ts'

/** Up to this many members everybody keeps a connection to everybody. */
export const FULL_MESH = 64

/** What ranks a node among the neighbours of others: the position that a beacon gave it, else its id. */
export function neighbourName(id: DidKey, member: Pick<Member, 'position'> | undefined): string {
  return member?.position?.toHex() ?? id
}

/**
 * To whom a node keeps connections: all members while they are few; beyond that the validators and the FULL_MESH
 * nearest by a hash of the pair, so that the links are spread evenly and stay when others come and go.
 * @param ranks of the members that this node has ranked before, brought up to date: 10,000 hashes take 50 ms
 * @param nameOf what the hash is of: a position that a beacon gave, so that nobody makes keys until one is near another node
 */
export function neighboursOf(
  self: DidKey,
  members: readonly DidKey[],
  validators: readonly DidKey[],
  ranks = new Map<string, number>(),
  nameOf: (id: DidKey) => string = (id) => id,
): Set<DidKey> {
  const others = members.filter((id) => id !== self)
  if (others.length <= FULL_MESH) return new Set([...others, ...validators.filter((id) => id !== self)])
  const own = nameOf(self)
  const pairs = others.map((id) => pairOf(own, nameOf(id)))
  for (const pair of pairs) if (!ranks.has(pair)) ranks.set(pair, pairRank(pair))
  if (ranks.size > others.length) forgetOthers(ranks, new Set(pairs))
  const nearest = nearestOf(
    others,
    Float64Array.from(pairs, (pair) => ranks.get(pair) as number),
  )
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
  nameOf: (id: DidKey) => string = (id) => id,
): (keeper: DidKey, kept: DidKey) => boolean {
  const rankOf = (a: DidKey, b: DidKey): number => pairRank(pairOf(nameOf(a), nameOf(b)))
  let farthest = 0
  for (const id of neighbours.difference(validators)) farthest = Math.max(farthest, rankOf(self, id))
  return (keeper, kept) => validators.has(kept) || rankOf(keeper, kept) <= HORIZON_SLACK * farthest
}

/** How a node watches its neighbours, by the members of its map. */
export function watchModeOf(self: DidKey, members: readonly DidKey[]): WatchMode {
  if (!members.includes(self)) return 'alone'
  return members.length - 1 <= FULL_MESH ? 'mesh' : 'sparse'
}

/** Without sorting the members themselves, which takes ten times as long as sorting numbers. */
function nearestOf(members: readonly DidKey[], distances: Float64Array): DidKey[] {
  const farthest = distances.toSorted()[FULL_MESH - 1] as number
  return members.filter((_, at) => (distances[at] as number) <= farthest).slice(0, FULL_MESH)
}

function forgetOthers(ranks: Map<string, number>, pairs: ReadonlySet<string>): void {
  for (const pair of ranks.keys()) if (!pairs.has(pair)) ranks.delete(pair)
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a}${b}` : `${b}${a}`
}

/** The first 48 bits of the hash of a pair: as good an order as all of it, and quick to compare. */
function pairRank(pair: string): number {
  const { buffer, byteOffset } = sha256(utf8(`weft:neighbour:v1\0${pair}`))
  const view = new DataView(buffer, byteOffset)
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2)
}
