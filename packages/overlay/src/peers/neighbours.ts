import { compareBytes, utf8 } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { WatchMode } from '../liveness/watch-mode.ts'

/** Up to this many members everybody keeps a connection to everybody. */
export const FULL_MESH = 64

/**
 * To whom a node keeps connections: all members while they are few; beyond that the validators and the FULL_MESH
 * nearest by a hash of the pair, so that the links are spread evenly and stay when others come and go.
 */
export function neighboursOf(self: DidKey, members: readonly DidKey[], validators: readonly DidKey[]): Set<DidKey> {
  const others = members.filter((id) => id !== self)
  if (others.length <= FULL_MESH) return new Set([...others, ...validators.filter((id) => id !== self)])
  const ranked = others.map((id) => ({ id, rank: pairHash(self, id) })).sort((a, b) => compareBytes(a.rank, b.rank))
  const nearest = ranked.slice(0, FULL_MESH).map(({ id }) => id)
  return new Set([...nearest, ...validators.filter((id) => id !== self)])
}

/** How a node watches its neighbours, by the members of its map. */
export function watchModeOf(self: DidKey, members: readonly DidKey[]): WatchMode {
  if (!members.includes(self)) return 'alone'
  return members.length - 1 <= FULL_MESH ? 'mesh' : 'sparse'
}

function pairHash(a: DidKey, b: DidKey): Uint8Array {
  const [first, second] = a < b ? [a, b] : [b, a]
  return sha256(utf8(`weft:neighbour:v1\0${first}${second}`))
}
