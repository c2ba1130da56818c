import type { DidKey } from '@weft/crypto'
import type { PacketService, Role } from '../member.ts'
import type { Probe, Transport } from '../transport/transport.ts'

/** Dials a node back as a stranger; the transport's `probe`. */
export type Prober = Pick<Transport, 'probe'>

/** The applicant as its application describes it: parsed within limits, and with every earlier check passed. */
export interface ProbedApplicant {
  readonly networkId: string
  readonly id: DidKey
  readonly roles: readonly Role[]
  /** Whether it holds a certificate now. */
  readonly renewal: boolean
  /** Of an entry, relay or exit. */
  readonly packets: PacketService | undefined
}

/** One thing that a node must do right before it is admitted; node plugs in those of the roles that it has. */
export interface ConformanceProbe {
  /**
   * Of whom it is asked: of nodes with a role or of `any` node, over the connection to each of its addresses; or, as
   * `packets`, of every entry, relay and exit, once, as such a probe sends to the packet addresses itself.
   */
  readonly role: Role | 'any' | 'packets'
  readonly name: string
  /**
   * @throws when the node does not do it; the words reach the applicant. What `unreachablePackets` makes reaches it
   * as it is.
   */
  run(probe: Probe, applicant: ProbedApplicant, signal: AbortSignal): Promise<void>
}
