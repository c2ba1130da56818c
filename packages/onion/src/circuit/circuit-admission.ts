import { type Clock } from '@weft/core'
import { TokenBucket } from '../token-bucket.ts'
import { type CircuitLimits } from './circuit-limits.ts'
import { type CircuitLink } from './circuit-link.ts'
import { CircuitPurpose } from './purpose.ts'
import { CircuitReason } from './reasons.ts'
import { type RelayCircuit } from './relay-circuit.ts'

/** Part of the free circuits that one client's link may have: many links together then never have them all. */
const CLIENT_SHARE = 1 / 128

export interface CircuitAdmissionOptions {
  readonly roles: { readonly entry: boolean; readonly relay: boolean; readonly exit: boolean }
  readonly clock: Pick<Clock, 'monotonic'>
  readonly limits: CircuitLimits
  /** The node that a link key belongs to; undefined for a client. */
  readonly isMember: (peerKey: Uint8Array) => Uint8Array | undefined
}

/** Whom a node makes circuits for, and how many. Answers are reasons of a refusal ({@link CircuitReason}). */
export class CircuitAdmission {
  readonly #options: CircuitAdmissionOptions
  /** Of links from clients: the handshakes that they may still ask for. */
  readonly #creates = new WeakMap<CircuitLink, TokenBucket>()

  constructor(options: CircuitAdmissionOptions) {
    this.#options = options
  }

  /**
   * What stands against a circuit when it is asked for.
   * @param circuits that the node has @param waiting creates that the link has waiting
   */
  refusal(link: CircuitLink, depth: number, circuits: number, waiting: number): number | undefined {
    const { roles, limits, isMember } = this.#options
    const member = isMember(link.peerKey) !== undefined
    const mayWait = member ? limits.waitingPerMemberLink : limits.waitingPerClientLink
    if (!this.hasRoom(link, circuits) || waiting >= mayWait || (!member && !this.#mayCreate(link)))
      return CircuitReason.tooManyCircuits
    // Behind the entry only members ask, so that nobody uses a relay as an entry.
    const possible = depth === 0 ? roles.entry : member && (roles.relay || roles.exit)
    return possible ? undefined : CircuitReason.noRole
  }

  /** Whether there is room for a circuit of the link. @param circuits that the node has */
  hasRoom(link: CircuitLink, circuits: number): boolean {
    const { limits, isMember } = this.#options
    const free = limits.circuits - circuits
    const most =
      isMember(link.peerKey) !== undefined
        ? limits.perMemberLink
        : Math.min(limits.perClientLink, Math.ceil(free * CLIENT_SHARE))
    return free > 0 && link.circuits < most
  }

  /** What stands against it afterwards: the role that the client asks for, which its handshake alone tells. */
  roleRefusal({ purpose, depth }: Pick<RelayCircuit, 'purpose' | 'depth'>): number | undefined {
    const { roles } = this.#options
    // A relay ends circuits too: those that lead to services of members.
    const ends = depth > 0 && (roles.exit || roles.relay)
    const possible = purpose === CircuitPurpose.hop ? depth === 0 || roles.relay : ends
    return possible ? undefined : CircuitReason.noRole
  }

  /** A handshake takes a hundred times as long as a packet: no client may keep the node busy with them. */
  #mayCreate(link: CircuitLink): boolean {
    const { clock, limits } = this.#options
    const now = clock.monotonic()
    let bucket = this.#creates.get(link)
    if (bucket === undefined) {
      bucket = new TokenBucket(limits.createsPerSecond, limits.perClientLink, now)
      this.#creates.set(link, bucket)
    }
    return bucket.take(now)
  }
}
