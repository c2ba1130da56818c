import type { HopRole } from '../vpn.ts'
import type { RouteMember } from './route-member.ts'

/** How a node came to its position. */
export interface ChosenHop {
  readonly member: RouteMember
  readonly role: HopRole
  /** Nodes that fitted here, itself included. */
  readonly candidates: number
  /** 1/16 to 1. 1 for a guard: guards are not weighed here. */
  readonly weight: number
  /** How likely it was to be drawn, 0 to 1; 1 for a guard. */
  readonly share: number
  /** Bits: of the weights, before they were flattened, and the least that the draw has. */
  readonly bits: number
  readonly floorBits: number
}
