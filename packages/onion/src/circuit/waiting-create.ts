import type { CircuitLink } from './circuit-link.ts'

/** A `create` whose handshake is still to be answered. */
export interface WaitingCreate {
  readonly link: CircuitLink
  /** Whether its key is that of a member. */
  readonly isMember: boolean
  readonly circuitId: number
  readonly depth: number
  /** The handshake's first message; a copy. */
  readonly message: Uint8Array
  /** By which the same `create` is known again. */
  readonly hash: Uint8Array
  /** Bodies of cells that came behind it, in their order: the client's early units. */
  readonly early: Uint8Array[]
}
