/** Where a simulated process runs: what decides its latency, and what others see as its address. */
export interface Site {
  readonly region: string
  /** IPv4, one for each machine. */
  readonly address: string
}
