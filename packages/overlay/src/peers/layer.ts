import type { DidKey } from '@weft/crypto'
import { type Member, PUBLIC_ROLES } from '../member.ts'

/**
 * Where a node stands in the mesh: with a seat among the validators; certified for work that others dial it for, and so at
 * an address of its own; certified for other work; or with no certificate.
 */
export type Layer = 'client' | 'regular' | 'core' | 'validator'

/**
 * The layer of a node.
 * @param member as the signed map has it; undefined for who is not in it
 * @param isValidator whether it has a seat in the newest term
 */
export function layerOf(member: Pick<Member, 'id' | 'roles'> | undefined, isValidator: (id: DidKey) => boolean): Layer {
  if (member === undefined) return 'client'
  if (isValidator(member.id)) return 'validator'
  return PUBLIC_ROLES.some((role) => member.roles.includes(role)) ? 'core' : 'regular'
}
