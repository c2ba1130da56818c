/** Bounds of a node's circuits (docs/specs/packets.md, Circuit; Limits); times in ms. */
export interface CircuitLimits {
  /** Circuits of a node. */
  readonly circuits: number
  /** Of one client's key, and not above 1/128 of what is free of the node's; from and to one member. Over all links with it, as all below. */
  readonly perClient: number
  readonly perMember: number
  /** Extensions that wait for the next hop's answer; beyond that the oldest is given up. */
  readonly waiting: number
  /** Clients' ephemeral keys remembered for each onion key, in each of two generations. */
  readonly seenClientKeys: number
  /** `create`s that are looked into a second, of one client's key. */
  readonly createsPerSecond: number
  /** `create`s that wait for their handshake; of one client's key, and of one member. */
  readonly waitingCreates: number
  readonly waitingPerClient: number
  readonly waitingPerMember: number
  /** Handshakes answered at a time, between packets. */
  readonly handshakesPerTurn: number
  /** Answers `destroy` 1 a second and link, to which ids belong; none is longer than what it answers. */
  readonly unknownPerSecond: number
  /** A hop drops a circuit after so long without a unit that opened. */
  readonly idleMs: number
}

export const DEFAULT_CIRCUIT_LIMITS: CircuitLimits = {
  circuits: 16_384,
  perClient: 64,
  perMember: 4096,
  waiting: 256,
  seenClientKeys: 32_768,
  createsPerSecond: 32,
  waitingCreates: 512,
  waitingPerClient: 16,
  waitingPerMember: 128,
  handshakesPerTurn: 2,
  unknownPerSecond: 10,
  idleMs: 120_000,
}
