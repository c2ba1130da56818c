import type { DescMessage } from '@bufbuild/protobuf'
import { MAX_LIST_ITEMS } from './canonical-form.ts'
import * as absence from './generated/weft/v1/absence_pb.ts'
import * as audit from './generated/weft/v1/audit_pb.ts'
import * as agreement from './generated/weft/v1/agreement_pb.ts'
import * as lease from './generated/weft/v1/lease_pb.ts'
import * as beacon from './generated/weft/v1/beacon_pb.ts'
import * as liveness from './generated/weft/v1/liveness_pb.ts'
import * as load from './generated/weft/v1/load_pb.ts'
import * as lookup from './generated/weft/v1/lookup_pb.ts'
import * as map from './generated/weft/v1/map_pb.ts'
import * as membership from './generated/weft/v1/membership_pb.ts'
import * as network from './generated/weft/v1/network_pb.ts'
import * as peer from './generated/weft/v1/peer_pb.ts'
import * as revocation from './generated/weft/v1/revocation_pb.ts'
import * as receipts from './generated/weft/v1/receipts_pb.ts'
import * as record from './generated/weft/v1/record_pb.ts'
import * as term from './generated/weft/v1/term_pb.ts'

/**
 * The one registry of protocol ids, methods and size limits. Everything that reads from the wire takes its limits
 * from here; nothing that is not listed is answered.
 */

export const KiB = 1024
export const MiB = 1024 * KiB

/** Streams between nodes. The network's id is part of each id, so that two networks never merge. */
export const STREAM_PROTOCOLS = {
  /** Control: many small calls multiplexed on one long-lived stream (docs/specs/rpc.md). */
  rpc: { name: 'rpc', version: 1 },
  /** Bulk: shards to and from a holder (docs/specs/shards.md). */
  shard: { name: 'shard', version: 1 },
} as const

export type StreamProtocol = keyof typeof STREAM_PROTOCOLS

export function protocolId(networkId: string, protocol: StreamProtocol): string {
  const { name, version } = STREAM_PROTOCOLS[protocol]
  return `/weft/${networkId}/${name}/${version}`
}

/** Topics of pub/sub; the network's id is part of each. */
export const TOPICS = ['map', 'revocation'] as const
export type Topic = (typeof TOPICS)[number]

/** Who may call a method: anyone who connected, certified members (validators included), or validators only. */
export type Access = 'anyone' | 'member' | 'validator'

export interface MethodSpec<Request extends DescMessage = DescMessage, Response extends DescMessage = DescMessage> {
  readonly request: Request
  readonly response: Response
  readonly access: Access
  /** Bytes; a larger body is refused before it is parsed. */
  readonly maxRequest: number
  readonly maxResponse: number
  /** What a call takes of its caller's rate; 1 for one that costs the node about 50 µs of its main thread. */
  readonly cost: number
  /** List items in a request; each costs time, however short it is. */
  readonly maxItems: number
}

const method = <Request extends DescMessage, Response extends DescMessage>(
  request: Request,
  response: Response,
  access: Access,
  maxRequest: number,
  maxResponse: number,
  cost = 1,
  maxItems = MAX_LIST_ITEMS,
): MethodSpec<Request, Response> => ({ request, response, access, maxRequest, maxResponse, cost, maxItems })

/** Largest value of a record, bytes. */
export const MAX_RECORD_VALUE = 64 * KiB
/** A record with its key, signature and framing. */
const MAX_RECORD = MAX_RECORD_VALUE + KiB
/** Largest certificate on the wire: its body (at most 2 KiB) and up to 64 votes of 100 bytes. */
const MAX_CERTIFICATE = 10 * KiB
/** Votes for one certificate or lease, signatures of one map: one of each validator. */
export const MAX_VOTES = 64
/** Largest value that validators agree on, bytes. */
export const MAX_AGREED_VALUE = 64 * KiB
/** A value with up to 64 signatures behind it. */
const MAX_AGREEMENT_MESSAGE = MAX_AGREED_VALUE + 8 * KiB

/** Largest piece of a burst that measures bandwidth, bytes: what strangers may send as well stays below 128 KiB. */
export const MAX_BURST_PIECE = 96 * KiB

/** How a term of validators began: 128 proven entries, a map, 64 votes. */
export const MAX_SUCCESSION = 384 * KiB

export const METHODS = {
  'peer.ping': method(peer.PingRequestSchema, peer.PingResponseSchema, 'anyone', KiB, KiB),
  'peer.reach': method(peer.ReachRequestSchema, peer.ReachResponseSchema, 'anyone', KiB, KiB, 64),
  'liveness.ping': method(
    liveness.LivenessPingRequestSchema,
    liveness.LivenessPingResponseSchema,
    'member',
    4 * KiB,
    4 * KiB,
  ),
  'liveness.ask': method(liveness.LivenessAskRequestSchema, liveness.LivenessAskResponseSchema, 'member', KiB, KiB, 4),
  'load.tell': method(load.LoadTellRequestSchema, load.LoadTellResponseSchema, 'member', 8 * KiB, KiB),
  'load.list': method(load.LoadListRequestSchema, load.LoadListResponseSchema, 'anyone', KiB, 16 * KiB, 4),
  'receipts.keys': method(
    receipts.ReceiptsKeysRequestSchema,
    receipts.ReceiptsKeysResponseSchema,
    'anyone',
    KiB,
    8 * KiB,
    4,
  ),
  'receipts.issue': method(
    receipts.ReceiptsIssueRequestSchema,
    receipts.ReceiptsIssueResponseSchema,
    'anyone',
    17 * KiB,
    17 * KiB,
    900,
  ),
  'receipts.redeem': method(
    receipts.ReceiptsRedeemRequestSchema,
    receipts.ReceiptsRedeemResponseSchema,
    'member',
    28 * KiB,
    KiB,
    200,
  ),
  'admission.apply': method(membership.ApplyRequestSchema, membership.ApplyResponseSchema, 'anyone', 8 * KiB, KiB, 16),
  'admission.submit': method(
    membership.SubmitRequestSchema,
    membership.SubmitResponseSchema,
    'anyone',
    MAX_CERTIFICATE,
    KiB,
    16,
    MAX_VOTES,
  ),
  'admission.challenge': method(
    membership.ChallengeRequestSchema,
    membership.ChallengeResponseSchema,
    'anyone',
    KiB,
    KiB,
    4,
  ),
  'admission.dial': method(membership.DialRequestSchema, membership.DialResponseSchema, 'validator', KiB, KiB, 64),
  'admission.burst': method(
    membership.BurstRequestSchema,
    membership.BurstResponseSchema,
    'anyone',
    MAX_BURST_PIECE + KiB,
    MAX_BURST_PIECE + KiB,
    4,
  ),
  'network.file': method(
    network.NetworkFileRequestSchema,
    network.NetworkFileResponseSchema,
    'anyone',
    KiB,
    128 * KiB,
    8,
  ),
  'map.propose': method(
    membership.MapProposeRequestSchema,
    membership.MapProposeResponseSchema,
    'validator',
    4 * MiB,
    MiB,
  ),
  'map.endorse': method(membership.MapEndorseRequestSchema, membership.MapEndorseResponseSchema, 'validator', KiB, KiB),
  'map.publish': method(
    membership.MapPublishRequestSchema,
    membership.MapPublishResponseSchema,
    'validator',
    64 * KiB,
    KiB,
  ),
  'agreement.send': method(
    agreement.AgreementSendRequestSchema,
    agreement.AgreementSendResponseSchema,
    'validator',
    MAX_AGREEMENT_MESSAGE,
    KiB,
    2,
  ),
  'agreement.pull': method(
    agreement.AgreementPullRequestSchema,
    agreement.AgreementPullResponseSchema,
    'validator',
    KiB,
    MiB,
    4,
  ),
  'beacon.deal': method(beacon.BeaconDealRequestSchema, beacon.BeaconDealResponseSchema, 'validator', 4 * KiB, KiB, 64),
  'beacon.share': method(beacon.BeaconShareRequestSchema, beacon.BeaconShareResponseSchema, 'validator', KiB, KiB, 32),
  'beacon.pull': method(
    beacon.BeaconPullRequestSchema,
    beacon.BeaconPullResponseSchema,
    'validator',
    4 * KiB,
    256 * KiB,
    8,
  ),
  'beacon.get': method(beacon.BeaconGetRequestSchema, beacon.BeaconGetResponseSchema, 'anyone', KiB, KiB),
  'absence.report': method(
    absence.AbsenceReportRequestSchema,
    absence.AbsenceReportResponseSchema,
    'member',
    4 * KiB,
    KiB,
    8,
  ),
  'admission.leave': method(absence.LeaveRequestSchema, absence.LeaveResponseSchema, 'member', KiB, KiB, 4),
  'recovery.send': method(
    agreement.AgreementSendRequestSchema,
    agreement.AgreementSendResponseSchema,
    'member',
    MAX_AGREEMENT_MESSAGE,
    KiB,
    2,
  ),
  'recovery.pull': method(
    agreement.AgreementPullRequestSchema,
    agreement.AgreementPullResponseSchema,
    'member',
    KiB,
    MiB,
    4,
  ),
  'handover.send': method(
    agreement.AgreementSendRequestSchema,
    agreement.AgreementSendResponseSchema,
    'validator',
    MAX_AGREEMENT_MESSAGE,
    KiB,
    2,
  ),
  'handover.pull': method(
    agreement.AgreementPullRequestSchema,
    agreement.AgreementPullResponseSchema,
    'validator',
    KiB,
    MiB,
    4,
  ),
  'term.get': method(term.TermGetRequestSchema, term.TermGetResponseSchema, 'anyone', KiB, MAX_SUCCESSION + KiB, 16),
  'map.head': method(membership.MapHeadRequestSchema, membership.MapHeadResponseSchema, 'anyone', KiB, 64 * KiB),
  'map.entries': method(map.MapEntriesRequestSchema, map.MapEntriesResponseSchema, 'anyone', KiB, MiB, 8),
  'map.changes': method(map.MapChangesRequestSchema, map.MapChangesResponseSchema, 'anyone', KiB, MiB, 8),
  'map.subtrees': method(map.MapSubtreesRequestSchema, map.MapSubtreesResponseSchema, 'anyone', 4 * KiB, 320 * KiB, 32),
  'map.pick': method(map.MapPickRequestSchema, map.MapPickResponseSchema, 'anyone', 16 * KiB, MiB, 16),
  'map.certificates': method(
    membership.CertificatesRequestSchema,
    membership.CertificatesResponseSchema,
    'anyone',
    4 * KiB,
    MiB,
    8,
  ),
  'lookup.closest': method(
    lookup.LookupClosestRequestSchema,
    lookup.LookupClosestResponseSchema,
    'anyone',
    KiB,
    64 * KiB,
    8,
  ),
  'revocation.vote': method(
    revocation.RevocationVoteRequestSchema,
    revocation.RevocationVoteResponseSchema,
    'validator',
    KiB,
    KiB,
    4,
  ),
  'revocation.list': method(
    revocation.RevocationListRequestSchema,
    revocation.RevocationListResponseSchema,
    'anyone',
    KiB,
    MiB,
    8,
  ),
  'lease.ask': method(lease.LeaseAskRequestSchema, lease.LeaseAskResponseSchema, 'anyone', KiB, KiB, 16),
  'lease.submit': method(
    lease.LeaseSubmitRequestSchema,
    lease.LeaseSubmitResponseSchema,
    'anyone',
    MAX_CERTIFICATE,
    KiB,
    16,
    MAX_VOTES,
  ),
  'lease.list': method(lease.LeaseListRequestSchema, lease.LeaseListResponseSchema, 'anyone', KiB, MiB, 32),
  'record.put': method(record.RecordPutRequestSchema, record.RecordPutResponseSchema, 'anyone', MAX_RECORD, KiB),
  'record.get': method(record.RecordGetRequestSchema, record.RecordGetResponseSchema, 'anyone', KiB, MAX_RECORD),
  'audit.manifest': method(audit.AuditManifestRequestSchema, audit.AuditSignedSchema, 'validator', KiB, KiB, 8),
  'audit.answer': method(audit.AuditQuestionSchema, audit.AuditSignedSchema, 'validator', 2 * KiB, 128 * KiB, 64, 64),
  'audit.receipt': method(audit.AuditSignedSchema, audit.AuditReceiptResponseSchema, 'validator', KiB, KiB, 4),
} as const

export type MethodName = keyof typeof METHODS

/** Largest frame of the control stream, bytes: the largest body and room for its envelope. */
export const MAX_RPC_FRAME = 4 * MiB + 4 * KiB
/** Largest message (not raw bytes) of the shard stream, bytes. */
export const MAX_SHARD_MESSAGE = 256 * KiB
/** Largest shard, bytes: a 16 MiB segment in one piece. */
export const MAX_SHARD_LENGTH = 16 * MiB
/** Largest message on a pub/sub topic, bytes. */
export const MAX_PUBSUB_MESSAGE = 64 * KiB
