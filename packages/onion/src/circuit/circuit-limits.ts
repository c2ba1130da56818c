/** Bounds of a node's circuits (docs/specs/packets.md, Circuit; Limits); times in ms. */
export interface CircuitLimits {
  /** Circuits of a node. */
  readonly circuits: number
  /** Of one link from a client, and not above 1/128 of what is free of the node's; of one link from or to a member. */
  readonly perClientLink: number
  readonly perMemberLink: number
  /** Extensions that wait for the next hop's answer; beyond that the oldest is given up. */
  readonly waiting: number
  /** Clients' ephemeral keys remembered for each onion key, in each of two generations. */
  readonly seenClientKeys: number
  /** `create`s that are looked into a second, of one link from a client. */
  readonly createsPerSecond: number
  /** `create`s that wait for their handshake; of one link from a client, and from a member. */
  readonly waitingCreates: number
  readonly waitingPerClientLink: number
  readonly waitingPerMemberLink: number
  /** Handshakes answered at a time, between packets. */
  readonly handshakesPerTurn: number
  /** Answers `destroy` 1 a second and link. */
  readonly unknownPerSecond: number
  /** A hop drops a circuit after so long without a unit that opened. */
  readonly idleMs: number
}

export const DEFAULT_CIRCUIT_LIMITS: CircuitLimits = {
  circuits: 16_384,
  perClientLink: 64,
  perMemberLink: 4096,
  waiting: 256,
  seenClientKeys: 32_768,
  createsPerSecond: 32,
  waitingCreates: 512,
  waitingPerClientLink: 16,
  waitingPerMemberLink: 128,
  handshakesPerTurn: 2,
  unknownPerSecond: 10,
  idleMs: 120_000,
}
