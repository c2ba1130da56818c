import type { DidKey } from '@weft/crypto'
import type { Fault } from '@weft/core'
import type { Streams } from './byte-stream.ts'
import type { LeaseUse } from './lease/lease-body.ts'
import type { VerifiedLease } from './lease/lease.ts'
import type { Demotion } from './admission/measure/demotions.ts'
import type { Loads } from './load/load-service.ts'
import type { LookupResult } from './lookup/lookup-result.ts'
import type { Membership } from './member.ts'
import type { Reach } from './reach/reach.ts'
import type { HandOver } from './records/record-replicator.ts'
import type { RecordStore } from './records/record-store.ts'
import type { RevocationBody, RevocationReason } from './revocation/revocation-body.ts'
import type { PendingRevocation } from './revocation/revocation-desk.ts'
import type { Rpc } from './rpc.ts'
import type { SeatStatus } from './terms/seat-states.ts'
import type { Term } from './terms/term.ts'
import type { OpenWay } from './transport/way-transport.ts'

/** How this node stands towards the network. */
export type AdmissionState =
  | { readonly state: 'client' }
  | {
      readonly state: 'applying'
      readonly since: number
      readonly votes: number
      readonly quorum: number
      readonly faults: readonly ValidatorFault[]
    }
  | {
      readonly state: 'certified'
      readonly epoch: number
      readonly expiresAt: number
      readonly inMap: boolean
      /** Roles that it wants and was not certified for, as it was found to have too little; absent where there are none. */
      readonly demoted?: readonly Demotion[]
    }
  | {
      readonly state: 'refused'
      readonly fault: Fault
      readonly faults: readonly ValidatorFault[]
      readonly retryAt: number
    }

/** Why one validator refused. */
export interface ValidatorFault extends Fault {
  readonly validator: DidKey
}

/** How this node stands with a lease of its own. */
export type LeaseState =
  /** It lends nothing. */
  | { readonly state: 'none' }
  | {
      readonly state: 'asking'
      /** ms since the Unix epoch. */
      readonly since: number
      readonly votes: number
      readonly quorum: number
      /** Why each of the other validators did not vote. */
      readonly faults: readonly ValidatorFault[]
    }
  | {
      readonly state: 'held'
      readonly uses: readonly LeaseUse[]
      readonly issuedEpoch: number
      /** ms since the Unix epoch. */
      readonly expiresAt: number
      /** Validators that list it. */
      readonly listedBy: number
    }

/** One validator's signature (purpose `vote`) over the body of a certificate. */
export interface CertificateVote {
  readonly validator: DidKey
  /** 64 bytes, Ed25519. */
  readonly signature: Uint8Array
}

export type PeerState = 'connected' | 'connecting' | 'unreachable'

export interface PeerStatus {
  readonly id: DidKey
  readonly state: PeerState
  /** ms since the epoch of the last change of state. */
  readonly since: number
  /** Round trip of the last ping in ms, where known. */
  readonly rttMs: number | undefined
  /** For `unreachable`: what was tried. */
  readonly fault: Fault | undefined
  /** Present where the connection goes over a relay. */
  readonly relayed?: true
}

export interface RevocationStatus {
  readonly inForce: readonly (RevocationBody & { readonly votes: number })[]
  readonly pending: readonly PendingRevocation[]
}

/** How a vote for a revocation counted. */
export interface RevocationVote {
  readonly votes: number
  readonly quorum: number
  readonly decided: boolean
  /** Of what it counted for: the validator that voted first names it. */
  readonly reason: RevocationReason
  /** Of what it counted for, ms since the Unix epoch; 0 of what takes an ejection back. */
  readonly blockedUntil: number
  /** Validators that want it ejected too, but for another time: their votes do not add up with this one. */
  readonly apart: number
  /** Whether an earlier vote of this validator for the opposite counts no more. */
  readonly tookBack: boolean
}

/** Calls members without being known to them as this node ({@link Overlay.anonymous}). */
export interface AnonymousCaller extends AsyncDisposable {
  /** The key that it shows; nothing else is ever called with it. */
  readonly self: DidKey
  readonly records: RecordStore
  readonly streams: Pick<Streams, 'open'>
}

/** What the layers above get of the network of members. */
export interface Overlay extends AsyncDisposable {
  readonly self: DidKey
  readonly networkId: string
  readonly membership: Membership
  readonly records: RecordStore
  /**
   * The members closest to a key of 32 bytes by the newest signed map, found by asking other nodes: for who holds no map, or
   * wants to know what others hold (docs/specs/lookup.md). Each was proven to be in the map. Records use it by themselves.
   * @throws WeftError E_LOOKUP_FAILED, E_ABORTED
   */
  lookup(target: Uint8Array, signal?: AbortSignal): Promise<LookupResult>
  readonly rpc: Rpc
  readonly streams: Streams
  /**
   * A caller apart from this node, with a fresh key: what it asks members for goes over ways that `open` makes and none of this
   * node's own connections. Members see a stranger who calls from where the way ends.
   */
  anonymous(open: OpenWay): Promise<AnonymousCaller>
  admission(): AdmissionState
  /** How other nodes reach this one. */
  reach(): Reach
  /** The validators that are known last, and since which map epoch they sign. */
  term(): Term
  /** How each of those validators does, in their order, as this node knows it. */
  seats(): readonly SeatStatus[]
  /** One row per member of the map other than this node. */
  peers(): readonly PeerStatus[]
  /** The state of one member; `unreachable` for a node that is not in the map. */
  peer(id: DidKey): PeerStatus
  /**
   * Members that do not answer, as several observers of distinct families and networks hold, this node among them
   * (docs/specs/liveness.md). Other nodes may hold other sets at the same time, so no two of them need to agree on what
   * is chosen by it.
   */
  suspects(): ReadonlySet<DidKey>
  /** How loaded the nodes are that carry packets. */
  readonly loads: Loads
  /**
   * Who voted for the certificates of these members, fetched from validators where need be and verified. A member
   * whose votes nobody gave is left out.
   */
  certificateVotes(
    ids: readonly DidKey[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<DidKey, readonly CertificateVote[]>>
  /** What validators decided and is in force, and, at a validator, what waits for votes. */
  revocations(): RevocationStatus
  /**
   * A validator's vote to eject a node, or to take that, or its own vote for it, back (`withdrawn`).
   * @param blockMs ms for which the node is not certified again
   * @throws WeftError E_NOT_A_VALIDATOR, E_REVOCATION_NONE, E_REVOCATION_LIMIT, E_REVOCATION_MALFORMED
   */
  revoke(id: DidKey, reason: RevocationReason, blockMs: number, signal?: AbortSignal): Promise<RevocationVote>
  /** How this node stands with a lease of its own: for a client that lends something. */
  lease(): LeaseState
  /**
   * The leases of clients that lend something, as validators list them now; each was verified here (docs/specs/leases.md).
   * @throws WeftError E_LEASE_LIST, E_ABORTED
   */
  leases(signal?: AbortSignal): Promise<readonly VerifiedLease[]>
  /**
   * Leaves the network in good order: out of the map, and all records with those who hold them from then on. The node
   * goes on running; it is for the caller to stop it. When the signal fires the node stays a member.
   * @throws WeftError E_LEAVE_QUORUM, E_ABORTED
   */
  leave(options?: LeaveOptions): Promise<HandOver>
  /** Measures one round trip now, ms. @throws WeftError E_NODE_UNREACHABLE */
  ping(id: DidKey, signal?: AbortSignal): Promise<number>
  on<K extends keyof OverlayEvents>(name: K, listener: (event: OverlayEvents[K]) => void): () => void
}

export interface LeaveOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LeaveProgress) => void
}

export type LeaveProgress = { readonly step: 'leaving-map' } | ({ readonly step: 'records' } & HandOver)

export interface OverlayEvents {
  map: { readonly epoch: number; readonly members: number }
  peer: PeerStatus
  admission: AdmissionState
  reach: Reach
  lease: LeaseState
  term: Term
}
