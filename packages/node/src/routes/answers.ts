import * as z from 'zod'
import { LOAD_WORDS } from '@weft/overlay'
import {
  admission,
  bridgeInvitation,
  bridgeRole,
  bridgeState,
  bytes,
  fault,
  guardStatus,
  lease,
  legChoice,
  legVerification,
  mapStatus,
  objectRemoval,
  objectRenewal,
  objectStatus,
  otherRoutes,
  ownLease,
  peerLink,
  peerStatus,
  reach,
  resourceDescriptor,
  s3KeyInfo,
  schemaVersion,
  storedObject,
  time,
  tokenInfo,
  transfer,
  vpnExit,
  vpnPending,
  vpnProfile,
  vpnProfileChange,
  vpnProfileFields,
  vpnProfileWarnings,
  vpnRoute,
  vpnState,
  vpnStatus,
} from './schemas.ts'

/**
 * The JSON answers of the API, each named once: routes answer with them, OpenAPI describes them, and the CLI and the
 * dashboard take their types. Every object is strict, so that a field which is not declared here fails the tests.
 */

export const statusAnswer = z.strictObject({
  schemaVersion,
  node: z.strictObject({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.string()).readonly(),
    version: z.string(),
    pid: z.int(),
    uptimeMs: z.int(),
    startedAt: time,
    home: z.string(),
  }),
  network: z.strictObject({ id: z.string(), name: z.string(), simulated: z.boolean() }),
  term: z
    .strictObject({ number: z.int(), seated: z.boolean().describe('Whether this node has a seat in it') })
    .describe('Of the validators'),
  admission,
  reach,
  map: mapStatus,
  peers: z.strictObject({ connected: z.int(), total: z.int() }),
  storage: z.strictObject({
    shards: z.int(),
    bytes,
    quotaBytes: bytes,
    damaged: z.int().describe('Shards that the disk does not give back as they were put; not served'),
    scrubbedBytes: bytes.describe('Read since the start to look for damage'),
    scrubbedAt: time.optional().describe('When all shards had been read last'),
    fault: fault.optional(),
    notice: fault.optional().describe('E_SHARDS_DAMAGED while some are'),
  }),
  s3: z.strictObject({
    state: z.enum(['up', 'down']).describe('By s3.server; down without a key by default'),
    host: z.string(),
    port: z.int(),
    keys: z.int(),
    running: z.int().describe('Requests under way'),
  }),
  resources: z.strictObject({
    rssBytes: bytes,
    privateBytes: bytes.optional(),
    cpuMs: z.int(),
    eventLoopP99Ms: z.number(),
  }),
  ports: z.record(z.string(), z.int()),
  faults: z.array(fault).readonly(),
})
export type StatusAnswer = z.output<typeof statusAnswer>

export const idAnswer = z.strictObject({ schemaVersion, node: z.string(), person: z.string() })
export type IdAnswer = z.output<typeof idAnswer>

export const leaveAnswer = z.strictObject({
  schemaVersion,
  state: z.enum(['member', 'leaving', 'left', 'failed']),
  step: z.enum(['leaving-map', 'records']).optional(),
  records: z.int().describe('Records that were looked at'),
  safe: z.int().describe('Of them those that enough other members have'),
  fault: fault.optional(),
})
export type LeaveAnswer = z.output<typeof leaveAnswer>

export const stopAnswer = z.strictObject({ schemaVersion, stopping: z.literal(true) })

const certificate = z.strictObject({
  epoch: z.int(),
  quorum: z.int().describe('Votes that a certificate needs now'),
  expiresAt: time,
})

const member = z.strictObject({
  id: z.string(),
  short: z.string(),
  roles: z.array(z.string()).readonly(),
  certificate,
  addresses: z.array(z.string()).readonly(),
  family: z.string(),
  region: z.string(),
  regionStanding: z
    .enum(['simulated', 'bounded', 'unverified'])
    .describe(
      'What stands behind the region: an invention of a devnet, round-trip times that do not speak against it, or its word',
    ),
  country: z.string(),
  asn: z.int(),
  simulated: z.boolean(),
  measured: z
    .strictObject({
      bandwidthMbps: z.int().optional().describe('Mbit/s each way, at least'),
      lossPpm: z.int().optional().describe('Lost packets of a million, at most'),
      storageBytes: bytes.optional().describe('Kept for others, as it says'),
      availabilityPpm: z.int().optional().describe('Of a million parts of the last seven days, at least'),
    })
    .optional()
    .describe('What a quorum of validators found to hold'),
  resources: resourceDescriptor
    .optional()
    .describe('What it says of its machine: nobody checks it but the signature under attested energy'),
  load: z
    .strictObject({ step: z.enum(LOAD_WORDS), ageMs: z.int().describe('Since it said so, ms') })
    .optional()
    .describe('Of a node that carries packets, as it says itself; absent where it is not known'),
  layer: z.enum(['client', 'regular', 'core', 'validator']).describe('Where it stands in the mesh'),
  suspect: z.boolean().describe('It does not answer, as several observers hold'),
  self: z.boolean().describe('This is the node that answers'),
  peer: peerLink,
})
export type MemberAnswer = z.output<typeof member>

export const membersAnswer = z.strictObject({
  schemaVersion,
  epoch: z.int().optional(),
  members: z.array(member).readonly(),
  map: mapStatus,
})
export type MembersAnswer = z.output<typeof membersAnswer>

export const memberAnswer = z.strictObject({
  schemaVersion,
  epoch: z.int().optional(),
  member: member.extend({
    certificate: certificate.extend({
      signatures: z
        .array(z.strictObject({ validator: z.string(), signature: z.string().describe('base64url') }))
        .readonly()
        .describe('Valid votes, a quorum of them at most, as far as validators give them'),
    }),
  }),
  map: mapStatus,
})
export type OneMemberAnswer = z.output<typeof memberAnswer>

export const resourcesAnswer = z.strictObject({
  schemaVersion,
  network: z.strictObject({ id: z.string(), name: z.string(), simulated: z.boolean() }),
  map: mapStatus,
  members: z
    .array(
      z.strictObject({
        id: z.string(),
        roles: z.array(z.string()).readonly(),
        region: z.string(),
        country: z.string(),
        simulated: z.boolean(),
        expiresAt: time.describe('When the certificate that says so ends'),
        resources: resourceDescriptor,
      }),
    )
    .readonly()
    .describe('Those that say something'),
  totals: z.strictObject({
    members: z.int(),
    described: z.int().describe('Of them those that say something'),
    attested: z.int().describe('Of them those whose energy is attested'),
    capacity: z.strictObject({
      cores: z.int(),
      accelerators: z.int(),
      memoryBytes: z.number(),
      storageBytes: z.number(),
      uploadMbps: z.int(),
      downloadMbps: z.int(),
    }),
    sites: z.record(z.string(), z.int()).describe('Members by kind of site'),
    sources: z.record(z.string(), z.int()).describe('Members by source of energy'),
    carbon: z
      .strictObject({ members: z.int(), mean: z.number().describe('gCO2/kWh') })
      .optional()
      .describe('Over the members that say it'),
  }),
})
export type ResourcesAnswer = z.output<typeof resourcesAnswer>

export const peersAnswer = z.strictObject({ schemaVersion, peers: z.array(peerStatus).readonly() })
export type PeersAnswer = z.output<typeof peersAnswer>

export const pingAnswer = z.strictObject({ schemaVersion, id: z.string(), rttMs: z.number() })
export type PingAnswer = z.output<typeof pingAnswer>

export const networkAnswer = z.strictObject({
  schemaVersion,
  network: z.strictObject({
    id: z.string(),
    name: z.string(),
    simulated: z.boolean(),
    policy: z.array(z.string()).readonly().describe('Ways to be admitted; each is enough'),
    inviters: z.array(z.string()).readonly().describe('Whose invitations count'),
    attesters: z.array(z.string()).readonly().describe('Who may attest the energy of members'),
    minimums: z.record(z.string(), z.record(z.string(), z.int())).describe('What nodes must have, by role'),
    term: z
      .strictObject({ number: z.int(), fromEpoch: z.int(), since: time })
      .describe('Of the validators: 0 is that of the network file, each later one passed on some of the seats'),
    validators: z
      .array(
        z.strictObject({
          id: z.string(),
          addresses: z.array(z.string()).readonly(),
          family: z.string(),
          state: z
            .enum(['answers', 'silent', 'unknown'])
            .describe('As the node that answers sees it; unknown where it keeps no connection'),
          inMap: z.boolean().describe('Whether it is in the newest map'),
          fault: fault.optional().describe('Why it did not admit the node that answers, or how it could not be asked'),
        }),
      )
      .readonly(),
    quorum: z.int().describe('Validators that must sign'),
    tolerated: z.int().describe('Validators that may be down'),
    recoveryAfterMs: z.int().describe('Silence of validators after which members may take their seats'),
    committeeSize: z.int(),
    seats: z.int(),
    rotateMs: z.int().optional().describe('How often some of the seats are drawn anew from all who ask for one'),
    nextRotation: time
      .optional()
      .describe('Absent where seats do not rotate, and where the validators are so few that none may be down'),
    mapEpochMs: z.int(),
    auditEpochMs: z.int(),
    rewardEpochMs: z.int(),
    certificateTtlMs: z.int(),
    clockToleranceMs: z.int(),
    createdAt: time,
  }),
  map: mapStatus,
})
export type NetworkAnswer = z.output<typeof networkAnswer>

export const joinTokenAnswer = z.strictObject({
  schemaVersion,
  token: z.string().describe('A secret where there is an invitation'),
  network: z.strictObject({ id: z.string(), name: z.string() }),
  invitation: z
    .strictObject({
      roles: z.array(z.string()).readonly(),
      uses: z.int(),
      expiresAt: time,
      node: z.string().optional(),
    })
    .optional(),
})
export type JoinTokenAnswer = z.output<typeof joinTokenAnswer>

export const attestationAnswer = z.strictObject({
  schemaVersion,
  attestation: z.string().describe('For resources.attestation in the weft.toml of the node; no secret'),
  node: z.string(),
  attester: z.string(),
  notAfter: time,
})
export type AttestationAnswer = z.output<typeof attestationAnswer>

export const revocationsAnswer = z.strictObject({
  schemaVersion,
  inForce: z
    .array(
      z.strictObject({
        id: z.string(),
        reason: z.string(),
        issuedUpTo: z.int().describe('Certificates of this map epoch or before are void; -1: none'),
        blockedUntil: time,
        decidedAt: time,
        votes: z.int(),
      }),
    )
    .readonly(),
  pending: z
    .array(
      z.strictObject({
        id: z.string(),
        reason: z.string(),
        blockedUntil: time,
        decidedAt: time,
        voters: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .describe('At a validator: decisions without a quorum yet'),
})
export type RevocationsAnswer = z.output<typeof revocationsAnswer>

export const revokeAnswer = z.strictObject({
  schemaVersion,
  id: z.string(),
  votes: z.int(),
  quorum: z.int(),
  decided: z.boolean(),
  reason: z.string().describe('Of the decision that the vote counts for: the validator that voted first names it'),
  blockedUntil: time.describe('Of that decision; 0 where it takes an ejection back'),
  apart: z.int().describe('Validators that want it ejected too, but for another time: their votes do not add up'),
  tookBack: z.boolean().describe('Whether an earlier vote of this validator for the opposite counts no more'),
})
export type RevokeAnswer = z.output<typeof revokeAnswer>

export const leasesAnswer = z.strictObject({
  schemaVersion,
  own: ownLease,
  leases: z.array(lease).readonly().describe('In force, of clients; each was verified by this node'),
  fault: fault.optional().describe('Why there may be others'),
})
export type LeasesAnswer = z.output<typeof leasesAnswer>

export const storedAnswer = storedObject.extend({
  schemaVersion,
  warnings: z.array(fault).readonly().describe('What whoever put it should know, though it is safe'),
})
export type StoredAnswer = z.output<typeof storedAnswer>

export const objectsAnswer = z.strictObject({ schemaVersion, objects: z.array(storedObject).readonly() })
export type ObjectsAnswer = z.output<typeof objectsAnswer>

export const objectStatusAnswer = objectStatus.extend({ schemaVersion, ref: z.string() })
export type ObjectStatusAnswer = z.output<typeof objectStatusAnswer>

export const ownObjectStatusAnswer = objectStatus.extend({ schemaVersion, name: z.string() })
export type OwnObjectStatusAnswer = z.output<typeof ownObjectStatusAnswer>

export const renewalAnswer = objectRenewal.extend({ schemaVersion })
export type RenewalAnswer = z.output<typeof renewalAnswer>

export const removalAnswer = objectRemoval.extend({ schemaVersion })
export type RemovalAnswer = z.output<typeof removalAnswer>

const removalRow = objectRemoval.extend({
  holders: z.int(),
  deleted: z.int().describe('Holders that signed that they deleted it'),
})

export const removalsAnswer = z.strictObject({ schemaVersion, removals: z.array(removalRow).readonly() })
export type RemovalsAnswer = z.output<typeof removalsAnswer>

export const takeoverAnswer = z.strictObject({
  schemaVersion,
  buckets: z.array(z.string()).readonly().describe('Names of those that are here now'),
})
export type TakeoverAnswer = z.output<typeof takeoverAnswer>

const importCounts = z.strictObject({
  adopted: z.int().describe('In the network still, and owned by this node now; objects only'),
  stored: z.int().describe('Put anew'),
  present: z.int().describe('Here already'),
  left: z.int().describe('Not imported'),
})

export const importAnswer = z.strictObject({
  schemaVersion,
  objects: importCounts,
  versions: importCounts.describe('Of keys of buckets'),
  buckets: z.int().describe('Made'),
  bytes: bytes.describe('Put anew'),
  left: z
    .array(z.strictObject({ object: z.string().optional(), name: z.string(), fault }))
    .readonly()
    .describe('The first hundred'),
})
export type ImportAnswer = z.output<typeof importAnswer>

const audit = z.strictObject({
  epoch: z.int().describe('Audit epoch'),
  node: z.string().describe('The holder'),
  auditor: z.string(),
  verdict: z.enum(['kept', 'missing', 'wrong', 'silent']),
  shards: z.int().describe('In the manifest of the holder'),
  leaves: z.int().describe('Of these shards, 4 KiB each'),
  asked: z.int(),
  kept: z.int(),
  missing: z.int(),
  wrong: z.int(),
  unknown: z.int().describe('No record said what they should be'),
  silent: z.int(),
  at: time.describe('By the clock of the auditor'),
  signature: z.string().describe('base64url'),
})

export const auditsAnswer = z.strictObject({
  schemaVersion,
  own: z.array(audit).readonly(),
  made: z.array(audit).readonly(),
})

const totals = z.strictObject({ done: z.int(), failed: z.int(), bytes })

export const transfersAnswer = z.strictObject({
  schemaVersion,
  transfers: z.array(transfer).readonly(),
  totals: z.strictObject({ put: totals, get: totals }),
})

export const tokensAnswer = z.strictObject({ schemaVersion, tokens: z.array(tokenInfo).readonly() })
export type TokensAnswer = z.output<typeof tokensAnswer>

export const newTokenAnswer = tokenInfo.extend({ schemaVersion, token: z.string() })
export type NewTokenAnswer = z.output<typeof newTokenAnswer>

export const revokedTokenAnswer = z.strictObject({ schemaVersion, revoked: tokenInfo })

export const s3KeysAnswer = z.strictObject({ schemaVersion, keys: z.array(s3KeyInfo).readonly() })
export type S3KeysAnswer = z.output<typeof s3KeysAnswer>

export const newS3KeyAnswer = s3KeyInfo.extend({
  schemaVersion,
  secretAccessKey: z.string().describe('Shown this once'),
  endpoint: z.string().describe('Where clients of S3 find it'),
})
export type NewS3KeyAnswer = z.output<typeof newS3KeyAnswer>

export const revokedS3KeyAnswer = z.strictObject({ schemaVersion, revoked: s3KeyInfo })
export type RevokedS3KeyAnswer = z.output<typeof revokedS3KeyAnswer>

export const dashboardLinkAnswer = z.strictObject({
  schemaVersion,
  url: z.string(),
  file: z.string().optional().describe('Path of a page that leads there; it goes when the link is used or over'),
})
export type DashboardLinkAnswer = z.output<typeof dashboardLinkAnswer>

export const sessionAnswer = z.strictObject({
  schemaVersion,
  session: z.string().describe('Goes into Authorization: Bearer'),
  expiresAt: time,
})
export type SessionAnswer = z.output<typeof sessionAnswer>

export const vpnStatusAnswer = vpnStatus.extend({
  schemaVersion,
  profile: z
    .strictObject({ name: z.string(), pending: vpnPending, warnings: vpnProfileWarnings })
    .describe('The one in use'),
})
export type VpnStatusAnswer = z.output<typeof vpnStatusAnswer>

export const vpnRouteAnswer = vpnRoute.extend({
  schemaVersion,
  state: vpnState,
  fault: fault.optional(),
  others: otherRoutes,
})
export type VpnRouteAnswer = z.output<typeof vpnRouteAnswer>

export const vpnVerifyAnswer = z.strictObject({ schemaVersion, at: time, legs: z.array(legVerification).readonly() })
export type VpnVerifyAnswer = z.output<typeof vpnVerifyAnswer>

export const vpnChoicesAnswer = z.strictObject({
  schemaVersion,
  at: time,
  legs: z.array(legChoice).readonly().describe('Those in use first'),
  guards: z.array(guardStatus).readonly().describe('In the order in which they are taken, 20 at most'),
})
export type VpnChoicesAnswer = z.output<typeof vpnChoicesAnswer>

export const vpnExitsAnswer = z.strictObject({ schemaVersion, exits: z.array(vpnExit).readonly() })
export type VpnExitsAnswer = z.output<typeof vpnExitsAnswer>

export const vpnProfilesAnswer = z.strictObject({
  schemaVersion,
  profiles: z.array(vpnProfile).readonly(),
  pending: vpnPending,
})
export type VpnProfilesAnswer = z.output<typeof vpnProfilesAnswer>

export const vpnProfileAnswer = z.strictObject({ schemaVersion, profile: vpnProfile })
export type VpnProfileAnswer = z.output<typeof vpnProfileAnswer>

export const changedVpnProfileAnswer = z.strictObject({
  schemaVersion,
  profile: vpnProfile,
  created: z.boolean(),
  changes: z.array(vpnProfileChange).readonly().describe('To what was there, or was in use, before'),
  checked: z.boolean().describe('Nothing was done'),
  pending: vpnPending,
})
export type ChangedVpnProfileAnswer = z.output<typeof changedVpnProfileAnswer>

export const importedVpnProfileAnswer = changedVpnProfileAnswer.extend({
  leftOut: z.array(z.string()).readonly().describe('Fields that named the machine that it is from'),
})
export type ImportedVpnProfileAnswer = z.output<typeof importedVpnProfileAnswer>

export const vpnProfileDocumentAnswer = z.strictObject({
  schemaVersion,
  kind: z.literal('weft-vpn-profile'),
  profile: vpnProfileFields.extend({ name: z.string() }),
  leftOut: z.array(z.string()).readonly().describe('Fields that name this machine'),
})
export type VpnProfileDocumentAnswer = z.output<typeof vpnProfileDocumentAnswer>

export const deletedVpnProfileAnswer = z.strictObject({ schemaVersion, deleted: z.string() })
export type DeletedVpnProfileAnswer = z.output<typeof deletedVpnProfileAnswer>

export const liveAnswer = z.strictObject({ schemaVersion, live: z.literal(true) })

export const readyAnswer = z.strictObject({
  schemaVersion,
  ready: z.boolean(),
  checks: z
    .array(
      z.strictObject({
        name: z.string(),
        ok: z.boolean(),
        tried: z.string().optional().describe('What was looked at'),
        fault: fault.optional(),
        notice: fault.optional().describe('What is not wrong, and worth knowing'),
      }),
    )
    .optional(),
})

export const openApiAnswer = z.record(z.string(), z.unknown())

export const bridgeAnswer = z.strictObject({
  schemaVersion,
  bridges: z.array(bridgeState).readonly().describe('By which alone this node calls; empty where it calls by itself'),
  role: bridgeRole.optional().describe('What this node does as a bridge, if it is one'),
})
export type BridgeAnswer = z.output<typeof bridgeAnswer>

export const newBridgeInvitationAnswer = z.strictObject({
  schemaVersion,
  ...bridgeInvitation.shape,
  line: z.string().describe('A secret: who has it may use the bridge'),
})
export type NewBridgeInvitationAnswer = z.output<typeof newBridgeInvitationAnswer>

export const revokedBridgeInvitationAnswer = z.strictObject({ schemaVersion, revoked: bridgeInvitation })
export type RevokedBridgeInvitationAnswer = z.output<typeof revokedBridgeInvitationAnswer>
