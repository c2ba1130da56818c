import type { DidKey } from '@weft/crypto'
import { type Member, PUBLIC_ROLES } from '../member.ts'

/**
 * Where a node stands in the mesh (docs/specs/mesh.md): with a seat among the validators; certified for work that others
 * dial it for, and so at an address of its own; certified for other work; or with no certificate.
 */
export type Layer = 'client' | 'regular' | 'core' | 'validator'

/** What decides on the layer of a member, and on its neighbours. */
export type MeshNode = Pick<Member, 'id' | 'roles' | 'position'>

/**
 * The layer of a node.
 * @param member as the signed map has it; undefined for who is not in it
 * @param isValidator whether it has a seat in the newest term
 */
export function layerOf(member: MeshNode | undefined, isValidator: (id: DidKey) => boolean): Layer {
  if (member === undefined) return 'client'
  if (isValidator(member.id)) return 'validator'
  return PUBLIC_ROLES.some((role) => member.roles.includes(role)) ? 'core' : 'regular'
}

/** Whether two lists of members, both sorted, are the same nodes with the same roles. */
export function sameNodes(a: readonly MeshNode[], b: readonly MeshNode[]): boolean {
  if (a === b) return true
  return a.length === b.length && a.every((member, at) => isSame(member, b[at] as MeshNode))
}

function isSame(a: MeshNode, b: MeshNode): boolean {
  if (a === b) return true
  const sameRoles = a.roles.length === b.roles.length && a.roles.every((role, at) => role === b.roles[at])
  return a.id === b.id && sameRoles && a.position?.toHex() === b.position?.toHex()
}
