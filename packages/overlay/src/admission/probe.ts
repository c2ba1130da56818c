import type { DidKey } from '@weft/crypto'
import type { Role } from '../member.ts'
import type { Probe, Transport } from '../transport/transport.ts'

/** Dials a node back as a stranger; the transport's `probe`. */
export type Prober = Pick<Transport, 'probe'>

/** One thing that a node must do right before it is admitted; node plugs in those of the roles that it has. */
export interface ConformanceProbe {
  /** The role that it is asked of; `any` for every applicant. */
  readonly role: Role | 'any'
  readonly name: string
  /** @throws when the node does not do it; the words reach the applicant. */
  run(probe: Probe, id: DidKey, signal: AbortSignal): Promise<void>
}
