import type { DidKey } from '@weft/crypto'
import type { MeshNode } from './layer.ts'
import { Mesh } from './mesh.ts'

interface Made {
  readonly seats: readonly DidKey[]
  readonly mesh: Mesh
}

/** The newest of each list of members, for as long as the list is held. */
const made = new WeakMap<readonly MeshNode[], Made>()

/** The mesh of a map and a term, made once for all who hold the same list of members. */
export function meshOf(members: readonly MeshNode[], seats: readonly DidKey[]): Mesh {
  const known = made.get(members)
  if (known !== undefined && sameIds(known.seats, seats)) return known.mesh
  const mesh = new Mesh(members, seats)
  made.set(members, { seats, mesh })
  return mesh
}

function sameIds(a: readonly DidKey[], b: readonly DidKey[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at])
}
