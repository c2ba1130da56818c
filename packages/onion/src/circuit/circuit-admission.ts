import { type Clock } from '@weft/core'
import { TokenBuckets } from '../token-buckets.ts'
import { type CircuitLimits } from './circuit-limits.ts'
import { type CircuitLink } from './circuit-link.ts'
import { type CircuitTable } from './circuit-table.ts'
import { CircuitPurpose } from './purpose.ts'
import { CircuitReason } from './reasons.ts'
import { type RelayCircuit } from './relay-circuit.ts'

/** Part of the free circuits that one client's key may have: many keys together then never have them all. */
const CLIENT_SHARE = 1 / 128

export interface CircuitAdmissionOptions {
  readonly roles: { readonly entry: boolean; readonly relay: boolean; readonly exit: boolean }
  readonly clock: Pick<Clock, 'monotonic'>
  readonly limits: CircuitLimits
  /** Of all circuits of the node. */
  readonly table: Pick<CircuitTable<unknown>, 'ofPeer'>
  /** The node that a link key belongs to; undefined for a client. */
  readonly isMember: (peerKey: Uint8Array) => Uint8Array | undefined
}

/** Whom a node makes circuits for, and how many: of a neighbour's key, since how many links it has is its own choice. Answers are reasons of a refusal ({@link CircuitReason}). */
export class CircuitAdmission {
  readonly #options: CircuitAdmissionOptions
  /** The handshakes that clients may still ask for: one takes a hundred times as long as a packet, and none may keep the node busy with them. */
  readonly #creates: TokenBuckets

  constructor(options: CircuitAdmissionOptions) {
    this.#options = options
    const { createsPerSecond, perClient } = options.limits
    this.#creates = new TokenBuckets(createsPerSecond, perClient)
  }

  /**
   * What stands against a circuit when it is asked for.
   * @param circuits that the node has @param waiting creates that its key has waiting
   */
  refusal(link: CircuitLink, depth: number, circuits: number, waiting: number): number | undefined {
    const { roles, clock, limits, isMember } = this.#options
    const member = isMember(link.peerKey) !== undefined
    const mayWait = member ? limits.waitingPerMember : limits.waitingPerClient
    if (
      !this.hasRoom(link, circuits) ||
      waiting >= mayWait ||
      (!member && !this.#creates.take(link.peerName, clock.monotonic()))
    )
      return CircuitReason.tooManyCircuits
    // Behind the entry only members ask, so that nobody uses a relay as an entry.
    const possible = depth === 0 ? roles.entry : member && (roles.relay || roles.exit)
    return possible ? undefined : CircuitReason.noRole
  }

  /** Whether there is room for a circuit of the link. @param circuits that the node has */
  hasRoom(link: CircuitLink, circuits: number): boolean {
    const { limits, table, isMember } = this.#options
    const free = limits.circuits - circuits
    const most =
      isMember(link.peerKey) !== undefined
        ? limits.perMember
        : Math.min(limits.perClient, Math.ceil(free * CLIENT_SHARE))
    return free > 0 && table.ofPeer(link.peerName) < most
  }

  /** What stands against it afterwards: the role that the client asks for, which its handshake alone tells. */
  roleRefusal({ purpose, depth }: Pick<RelayCircuit, 'purpose' | 'depth'>): number | undefined {
    const { roles } = this.#options
    // A relay ends circuits too: those that lead to services of members.
    const ends = depth > 0 && (roles.exit || roles.relay)
    const possible = purpose === CircuitPurpose.hop ? depth === 0 || roles.relay : ends
    return possible ? undefined : CircuitReason.noRole
  }
}
