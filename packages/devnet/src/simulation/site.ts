import type { NatKind } from './simulated-nat.ts'

/** Where a simulated process runs: what decides its latency, and what others see as its address. */
export interface Site {
  readonly region: string
  /** IPv4, one for each machine; of one behind NAT that of its router. */
  readonly address: string
  /** The router that it is behind; by default none. */
  readonly nat?: NatKind
}
