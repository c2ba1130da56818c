import * as z from 'zod'
import { ENERGY_SOURCES, LEASE_USES, LOAD_WORDS, SITE_KINDS } from '@weft/overlay'
import { DISCARD_REASONS } from '@weft/vpn'
import { GRANTS, type Grant, isGrant } from '../http/scopes.ts'

/** Shapes that several routes share. Times are ms since the Unix epoch, durations ms, sizes bytes. */

export const time = z.int().nonnegative().describe('ms since the Unix epoch')
export const bytes = z.int().nonnegative().describe('bytes')
export const schemaVersion = z.literal(1)

export const nodeId = z
  .string()
  .regex(/^did:key:z[1-9A-HJ-NP-Za-km-z]{40,60}$/, 'must be a did:key')
  .describe('did:key of a node')

export const fault = z
  .strictObject({ code: z.string(), cause: z.string(), fix: z.string() })
  .describe('What is not healthy: stable code, what happened, what to do')

export const peerStatus = z.strictObject({
  id: z.string(),
  state: z.enum(['connected', 'connecting', 'unreachable']),
  since: time,
  rttMs: z.number().optional(),
  fault: fault.optional(),
  relayed: z.literal(true).optional().describe('The connection goes over a relay'),
})

export const mapStatus = z.strictObject({
  epoch: z.int().optional(),
  root: z.string().optional(),
  signedAt: time.optional(),
  beacon: z
    .strictObject({ epoch: z.int(), previous: z.int(), value: z.string().describe('Hex') })
    .optional()
    .describe('The newest that the map carries'),
  signatures: z.int(),
  quorum: z.int(),
  validators: z.int(),
  fault: fault.optional(),
})

export const peerLink = peerStatus.omit({ id: true })

const validatorFault = fault.extend({ validator: z.string() })

/** How other nodes reach this one; the fault says why not better, and what to open. */
export const reach = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('client') }),
  z.strictObject({ state: z.literal('asking') }),
  z.strictObject({ state: z.literal('direct'), addresses: z.array(z.string()).readonly() }),
  z.strictObject({
    state: z.literal('relayed'),
    addresses: z.array(z.string()).readonly(),
    through: z.array(z.string()).readonly(),
    fault,
  }),
  z.strictObject({ state: z.literal('unreachable'), fault }),
])

export const admission = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('client') }),
  z.strictObject({
    state: z.literal('applying'),
    since: time,
    votes: z.int(),
    quorum: z.int(),
    faults: z.array(validatorFault).readonly(),
  }),
  z.strictObject({
    state: z.literal('certified'),
    epoch: z.int(),
    expiresAt: time,
    inMap: z.boolean(),
    demoted: z
      .array(fault.extend({ role: z.string() }))
      .readonly()
      .optional()
      .describe('Roles that the node wants and is not certified for, as validators found too little'),
  }),
  z.strictObject({ state: z.literal('refused'), fault, faults: z.array(validatorFault).readonly(), retryAt: time }),
])

const leaseUse = z.enum(LEASE_USES)

/** How this node stands with a lease of its own (docs/specs/leases.md). */
export const ownLease = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('none') }),
  z.strictObject({
    state: z.literal('asking'),
    since: time,
    votes: z.int(),
    quorum: z.int(),
    faults: z.array(validatorFault).readonly(),
  }),
  z.strictObject({
    state: z.literal('held'),
    uses: z.array(leaseUse).readonly(),
    issuedEpoch: z.int(),
    expiresAt: time,
    listedBy: z.int().describe('Validators that list it'),
  }),
])

export const lease = z.strictObject({
  id: z.string(),
  short: z.string(),
  uses: z.array(leaseUse).readonly(),
  issuedEpoch: z.int(),
  expiresAt: time,
  self: z.boolean().describe('It is of the node that answers'),
  body: z.string().describe('base64url of what the validators signed'),
  votes: z.array(z.strictObject({ validator: z.string(), signature: z.string().describe('base64url') })).readonly(),
})

/** What a member says of its machine (docs/specs/resources.md). */
export const resourceDescriptor = z.strictObject({
  site: z.enum(SITE_KINDS),
  provider: z.string().optional(),
  hardware: z.string().optional(),
  capacity: z
    .strictObject({
      cores: z.int().optional(),
      accelerators: z.int().optional(),
      memoryBytes: bytes.optional(),
      storageBytes: bytes.optional().describe('Bytes that it keeps for others'),
      uploadMbps: z.int().optional(),
      downloadMbps: z.int().optional(),
    })
    .optional(),
  energy: z
    .strictObject({
      evidence: z.enum(['declared', 'attested']).describe("On whose word: the operator's, or an attester's"),
      grid: z.string().optional(),
      source: z.enum(ENERGY_SOURCES).optional(),
      carbon: z.int().optional().describe('gCO2/kWh'),
      attester: z.string().optional().describe('did:key of who attests it'),
      notAfter: time.optional().describe('Until when it is attested'),
      attestation: z.string().optional().describe('What the attester signed: weft-attest-…'),
    })
    .optional(),
})

export const storedObject = z.strictObject({
  ref: z.string().describe('Reference with the key: whoever has it can read the object'),
  object: z.string(),
  name: z.string(),
  size: bytes,
  class: z.string(),
  createdAt: time,
  expiresAt: time,
  private: z.boolean().describe('It was put over routes, and this node reads it over routes, too'),
})

export const objectRemoval = z.strictObject({
  object: z.string(),
  name: z.string(),
  size: bytes,
  private: z.boolean().describe('It was put over routes, and its holders are asked over routes'),
  removedAt: time,
  expiresAt: time.describe('When its last shard expires, removed or not'),
  state: z
    .enum(['open', 'done', 'expired'])
    .describe('open: holders are still asked; expired: some said nothing as long as it counted'),
  withdrawn: z.boolean().describe('No reader finds it any more'),
  fault: fault.optional().describe('Why it is not withdrawn, or why nobody could be asked'),
  holders: z
    .array(
      z.strictObject({
        node: z.string(),
        state: z.enum(['deleted', 'waiting', 'silent']).describe('waiting: it is asked again'),
        receipt: z
          .strictObject({
            shards: z.int(),
            bytes,
            at: time.describe('By the clock of the holder'),
            until: time.describe('It refuses the object until then; 0 when it does not'),
            signature: z.string().describe('base64url, over what docs/specs/shards.md says'),
          })
          .optional(),
        fault: fault.optional().describe('Why there is no receipt yet'),
      }),
    )
    .readonly(),
})

export const objectStatus = z.strictObject({
  object: z.string(),
  size: bytes,
  class: z.strictObject({ name: z.string(), k: z.int(), n: z.int() }),
  segmentCount: z.int().describe('Segments of the whole object'),
  segments: z
    .array(
      z.strictObject({
        index: z.int(),
        alive: z.int(),
        shards: z
          .array(
            z.strictObject({
              index: z.int(),
              node: z.string(),
              state: z.enum(['stored', 'unreachable', 'missing', 'corrupt']),
            }),
          )
          .readonly(),
      }),
    )
    .readonly()
    .describe('Those looked at: at most 256, from the one asked for on'),
  next: z.int().optional().describe('The first segment behind those; absent when there is none'),
  copies: z
    .int()
    .optional()
    .describe('Nodes that an object without segments was found at, whole in its record; more may have it'),
  health: z.enum(['healthy', 'degraded', 'lost']).describe('Of the segments looked at'),
  fault: fault.optional(),
  relaxed: z.array(z.string()).readonly(),
  expiresAt: time,
})

export const transfer = z.strictObject({
  id: z.string(),
  kind: z.enum(['put', 'get']),
  object: z.string(),
  bytes,
  total: bytes.optional(),
  state: z.enum(['running', 'done', 'failed']),
  fault: fault.optional(),
  startedAt: time,
  updatedAt: time,
})

const milliseconds = z.number().nonnegative().describe('ms')
const percent = z.number().min(0).max(100)

const hopRole = z.enum(['entry', 'relay', 'exit'])
const hopHealth = z.enum(['green', 'yellow', 'red', 'unknown']).describe('unknown: it has not answered yet')

const hop = z.strictObject({
  node: z.string(),
  role: hopRole,
  country: z.string(),
  region: z.string(),
  simulated: z.boolean(),
  latencyMs: milliseconds.optional().describe('From the hop before and back; from this node for the entry'),
  jitterMs: milliseconds.optional().describe('Mean deviation between round trips from the hop before'),
  lossPercent: percent.optional().describe('Of the cells of late on the link before it, both ways'),
  bandwidthBytesPerSecond: z.number().nonnegative().optional().describe('What this leg has through it, both ways'),
  upMs: milliseconds.optional().describe('For how long it has answered over this leg'),
  suite: z
    .enum(['chacha20-poly1305', 'aes-256-gcm'])
    .optional()
    .describe('What seals the layer between this node and the hop; absent until that is agreed'),
  health: hopHealth,
  reason: z.string().describe('Why it is not green; empty when it is'),
})

/** A UDP datagram for each packet, two of them, or TLS over TCP. */
const carriedOver = z.enum(['udp', 'halves', 'tls'])

const legState = z.enum(['building', 'active', 'spare', 'silent', 'failed'])

const tier = z.enum(['off', 'standard', 'high'])

const leg = z.strictObject({
  state: legState,
  carriage: carriedOver.describe('What packets to its entry travel in'),
  tier: z
    .strictObject({
      asked: tier,
      taken: tier.optional().describe('What all of its hops do, as they said; absent until they did'),
    })
    .optional()
    .describe('What it does against traffic analysis; absent where nothing was asked for'),
  hops: z.array(hop).readonly(),
  rttMs: milliseconds.optional().describe('To the exit and back'),
  streams: z.int(),
  since: time,
  fault: fault.optional(),
})

const throughput = z.strictObject({
  sentBytesPerSecond: z.number(),
  receivedBytesPerSecond: z.number(),
  sentBytes: bytes,
  receivedBytes: bytes,
})

const ipBytes = z.strictObject({ sent: bytes, received: bytes }).describe('Of IP packets with their headers')

const superPackets = z
  .strictObject({
    read: z.int().describe('Given by the system'),
    split: z.int().describe('Packets that these were split into'),
    written: z.int().describe('Taken by the system'),
    merged: z.int().describe('Packets that these were merged of'),
  })
  .describe('At the interface')

/** off: the proxy does not listen; blocked: no route can be built, and `fault` says why. */
export const vpnState = z.enum(['off', 'connecting', 'connected', 'blocked'])

const routeEvent = fault.extend({
  at: time,
  kind: z
    .enum(['ready', 'moved', 'lost', 'back', 'degraded', 'blocked', 'rotated', 'improved'])
    .describe(
      'ready: a leg is; moved: other legs carry from now on; lost: a leg fell silent or ended; degraded: a hop got worse; back: a leg or a hop is as before; blocked: no route can be built; rotated: legs were replaced as it was time; improved: by better ones',
    ),
  node: z.string().optional().describe('The hop that it is about'),
  role: hopRole.optional(),
})

const routeEvents = z.array(routeEvent).readonly().describe('What happened, the newest first, 32 at most')

export const vpnRoute = z.strictObject({
  legs: z.array(leg).readonly().describe('The first is the one in use, when there is one'),
  rttMs: milliseconds.optional(),
  throughput,
  events: routeEvents,
})

const credentialsNumber = z.int().optional().describe('Of a user and password: says nothing of them')

/** What has routes of its own. */
export const otherRoutes = z
  .array(
    z.strictObject({
      use: z.enum(['tunnel', 'credentials', 'destination']),
      number: credentialsNumber,
      state: z.enum(['connecting', 'connected', 'blocked']),
      fault: fault.optional(),
      legs: z.array(leg).readonly().describe('The first is the one in use, when there is one'),
      events: routeEvents,
    }),
  )
  .readonly()
  .describe('Routes beside those of the proxy: of the whole machine, and of each user and password that asks the proxy')

const whole = z.int().nonnegative()
const direction = z.enum(['forward', 'backward']).describe('forward: towards the exit')
const forMs = milliseconds.describe('For how long')

const discardReason = z.enum(DISCARD_REASONS)

/** What a member was for a hop when that was chosen. */
const hopStanding = z.strictObject({
  node: z.string(),
  standing: z
    .enum(['chosen', 'candidate', 'out', 'unlisted'])
    .describe('unlisted: the signed map of that time had no such member that carries packets'),
  weight: z.number().optional().describe('Of one that came into question: 1/16 to 1'),
  share: z.number().min(0).max(1).optional().describe('How likely it was to be drawn'),
  reason: discardReason.optional().describe('Why it fell out'),
  beside: z.string().optional().describe('The node with which it has that in common'),
})

/** How the hops of one leg were chosen. */
export const legChoice = z.strictObject({
  use: z.enum(['proxy', 'tunnel', 'credentials', 'destination']),
  number: credentialsNumber,
  state: legState,
  chosenAt: time,
  hops: z
    .array(
      z.strictObject({
        node: z.string(),
        role: hopRole,
        candidates: whole.describe('Members that came into question, it among them'),
        weight: z.number().describe('1/16 to 1; 1 of a guard, which is not weighed'),
        share: z
          .number()
          .min(0)
          .max(1)
          .describe('How likely it was to be drawn; 1 of a guard: the first that fits is taken'),
        bits: z.number().nonnegative().describe('Uncertainty of the weights, bits'),
        floorBits: z.number().nonnegative().describe('The least that the draw has'),
        discarded: z
          .array(z.strictObject({ reason: discardReason, words: z.string(), count: whole }))
          .readonly()
          .describe('How many members fell out for what, the most first'),
        heaviest: z.array(hopStanding).readonly().describe('Of those that came into question'),
        out: z.array(hopStanding).readonly().describe('Of those that fell out'),
        asked: hopStanding.optional().describe('The node of the query'),
      }),
    )
    .readonly(),
})

export const guardStatus = z.strictObject({
  node: z.string(),
  primary: z.boolean().describe('Legs begin at it, or at another one while it is not ready'),
  since: time.describe('From when its time counts, ms since the Unix epoch'),
  until: time.describe('When it may be given up, ms since the Unix epoch'),
  answered: z.boolean().describe('It answered once, at whatever time'),
  state: z
    .enum(['ready', 'silent', 'doubted', 'not-called', 'unlisted'])
    .describe(
      'silent: it did not answer the last time; doubted: circuits behind it are lost that are not behind others; not-called: the network around does not lead to it; unlisted: it is no entry of the signed map',
    ),
  retryAt: time.optional().describe('When one that is silent is tried again, ms since the Unix epoch'),
  unlistedSince: time.optional(),
})

/** What the hops of one leg answered when they were asked. */
export const legVerification = z.strictObject({
  use: z.enum(['proxy', 'tunnel', 'credentials', 'destination']),
  number: credentialsNumber,
  state: legState,
  sent: whole.describe('Cells that this node sent'),
  verified: whole.describe('Cells that came back with the right tag of every hop'),
  rejected: whole.describe('Cells that came back and did not, or did not belong where they came'),
  hops: z
    .array(
      z.strictObject({
        node: z.string(),
        role: hopRole,
        answered: z.boolean().describe('It answered the question of this verification'),
        sent: whole.describe('Cells that this node sent with a layer of the hop'),
        verified: whole.describe('Cells that came back with its right tag'),
        counted: z
          .strictObject({
            opened: whole,
            passed: whole,
            droppedForward: whole,
            came: whole,
            droppedBackward: whole,
            sent: whole,
          })
          .optional()
          .describe('As the hop says (docs/specs/packets.md, Counters)'),
        lossForwardPercent: percent.optional().describe('Of the link before it, of late'),
        lossBackwardPercent: percent.optional(),
        health: hopHealth,
        reason: z.string(),
      }),
    )
    .readonly(),
  losses: z
    .array(
      z.strictObject({
        part: z
          .enum(['link', 'hop'])
          .describe('link: between the hop before and this one, or at one of the two; hop: dropped by it, as it says'),
        node: z.string(),
        role: hopRole,
        direction,
        percent,
        sent: whole,
        lost: whole,
        chance: z.number().min(0).max(1).describe('Of so much at this place by accident'),
        forMs,
      }),
    )
    .readonly()
    .describe('Beyond chance'),
  delays: z.array(z.strictObject({ node: z.string(), role: hopRole, addedMs: milliseconds, forMs })).readonly(),
  contradictions: z
    .array(
      z.strictObject({
        nodes: z.array(z.string()).readonly().describe('One; or two, of which one at least does not tell the truth'),
        what: z.string(),
        forMs,
      }),
    )
    .readonly()
    .describe('What cannot be true'),
})

const killSwitch = z.strictObject({
  state: z
    .enum(['on', 'off', 'damaged', 'unknown'])
    .describe('damaged: it is to be on, and its rules are not as they should be; unknown: the daemon may not see them'),
  since: time.optional(),
  allowLan: z.boolean().optional().describe('What stays on the LAN is let out, but for names'),
  uid: z.int().optional().describe('The user whose daemon is let out'),
  orderedBy: z
    .array(z.enum(['person', 'profile']))
    .readonly()
    .describe(
      'Who wants it on, where this user may read that; it goes off with the last of them, or by weft vpn killswitch off',
    ),
  nodes: z.int().describe('Addresses of nodes that are let out for it'),
  blocked: z
    .record(z.enum(['dns', 'lan', 'ipv6', 'forwarded', 'other']), z.strictObject({ packets: z.int(), bytes }))
    .describe('Since it was put on, or the machine was started, by reason'),
  differences: z.array(z.string()).readonly().describe('How its rules differ from what they should be'),
  reboot: z
    .strictObject({ isProtected: z.boolean(), cause: z.string(), fix: z.string() })
    .describe('Whether it comes back with the machine, and why not'),
  restored: z
    .strictObject({ times: z.int(), at: time, differences: z.array(z.string()).readonly() })
    .optional()
    .describe('Rules that the daemon put again since it was started: how often, and how they stood the last time'),
  fault: fault.optional().describe('Where it is on: that it blocks, and how to unblock'),
})

const receipts = z.strictObject({
  issuers: z
    .array(
      z.strictObject({
        node: z.string(),
        left: z.int().optional().describe('Tokens that this node may still fetch today (UTC)'),
        fault: fault.optional(),
      }),
    )
    .readonly(),
  tokens: z.int().describe('In the wallet, and good'),
  purse: z
    .strictObject({
      tokens: z.int().describe('In hand to be spent, beside those of the wallet'),
      paid: z.int().describe('Payments that hops took, since the packet thread was started'),
      isEmpty: z.boolean().describe('The last hop that wanted pay got none'),
      refused: z
        .array(z.strictObject({ node: z.string(), why: z.string() }))
        .readonly()
        .describe('The latest payments that hops did not take'),
      overcharged: z
        .array(z.string())
        .readonly()
        .describe('Nodes that said more was due than this one can account for, and that were not paid for it'),
    })
    .optional(),
  books: z
    .strictObject({
      owed: z.int().describe('Payments that were taken and not redeemed yet'),
      redeemed: z.int(),
      refused: z.int().describe('Those that their issuer did not take back: spent elsewhere before'),
      lapsed: z.int().describe('Those that were not redeemed in time'),
    })
    .optional()
    .describe('Of a node that carries for others'),
  fault: fault.optional(),
})

export const vpnStatus = z.strictObject({
  state: vpnState,
  fault: fault.optional(),
  proxy: z.strictObject({ host: z.string(), port: z.int() }).optional().describe('Where the proxy listens'),
  dns: z
    .strictObject({ host: z.string(), port: z.int() })
    .optional()
    .describe('Where names are answered by DNS, over UDP and TCP'),
  tun: z
    .strictObject({
      interface: z.string(),
      mtu: z.int(),
      state: z
        .enum(['waiting', 'open', 'failed', 'shut'])
        .describe(
          'waiting: no exit carries packets at the moment, and none leave; failed: it could not be opened, and packets go their own way; shut: rules of a daemon that was killed let none leave',
        ),
      exit: z.string().optional(),
      ipv6: z.boolean().describe('The exit carries IPv6; otherwise it is unreachable'),
      packets: z.record(z.string(), z.int()).describe('Sent and received, and dropped by reason'),
      bytes: ipBytes,
      superPackets,
      fault: fault.optional(),
    })
    .optional()
    .describe('The whole machine through a route'),
  killSwitch: killSwitch.optional().describe('Of this machine, by the rules of its kernel'),
  receipts: receipts.optional().describe('How pay for circuits stands (receipts.mode)'),
  streams: z.strictObject({ open: z.int(), opened: z.int(), failed: z.int() }),
  failures: z
    .array(
      fault.extend({
        at: time.describe('Of the last one'),
        count: z.int().min(1).describe('How many failed so, one after another'),
      }),
    )
    .readonly()
    .describe(
      'Requests that the proxy could not fulfil and connections that ended with their route, the latest first, without their targets',
    ),
  route: vpnRoute.describe('Of what asks the proxy without user and password, but for groups of destinations'),
  others: otherRoutes,
  services: z
    .strictObject({
      routes: z.int().describe('Transfers that have routes of their own'),
      streams: z.int(),
      sentBytes: bytes,
      receivedBytes: bytes,
    })
    .describe('Routes to services of members, as those of private transfers; bytes since the start'),
  carriage: z
    .strictObject({
      over: carriedOver,
      setting: z.enum(['auto', 'udp', 'tls']),
      reason: z.string().describe('Why; empty where nothing is to be said'),
      since: time.optional().describe('When it was found that UDP is blocked'),
    })
    .describe('What packets to entries travel in, where nothing is agreed yet'),
  carried: z
    .strictObject({
      workers: z
        .array(z.strictObject({ circuits: z.int(), links: z.int(), legsElsewhere: z.int(), packetsForwarded: z.int() }))
        .readonly()
        .describe('What each packet worker has of it (vpn.workers)'),
      circuits: z.int(),
      links: z.int(),
      inTls: z.int().describe('Clients that are connected by TLS over TCP'),
      exitStreams: z.int(),
      exitChannels: z.int().describe('Channels of datagrams (UDP) that clients have here'),
      memberStreams: z.int().describe('Connections to services of members by circuits that end here'),
      memberStreamsOpened: z.int().describe('The same, since the start'),
      exitIp: z
        .strictObject({
          clients: z.int(),
          ipv6: z.boolean(),
          packets: z.record(z.string(), z.int()).describe('Sent and received, and dropped by reason'),
          bytes: ipBytes,
          superPackets,
          fault: fault.optional(),
        })
        .optional()
        .describe('IP packets of clients, where this exit is to carry them (exit.ip)'),
      packetsForwarded: z.int(),
      packetsReceived: z.int(),
      packetsSent: z.int(),
      packetsWaiting: z.int().describe('Cells that wait for their turn now'),
      packetsWaited: z
        .strictObject({ realtime: z.int(), interactive: z.int(), bulk: z.int() })
        .describe('Cells that went on after they had waited, by what their circuits asked for'),
      packetsDropped: z.record(z.string(), z.int()).describe('By reason'),
      portEvents: z
        .record(z.string(), z.int())
        .describe(
          'Batches that went packet by packet, and connections in TLS that were refused or sent what is no packet',
        ),
    })
    .optional()
    .describe('What this node carries for others by its roles'),
})

export const vpnExit = z.strictObject({
  node: z.string(),
  country: z.string(),
  region: z.string(),
  family: z.string(),
  simulated: z.boolean(),
  used: z.boolean().describe('It is the exit of a route in use'),
  uses: z
    .array(
      z.strictObject({ use: z.enum(['proxy', 'tunnel', 'credentials', 'destination']), number: credentialsNumber }),
    )
    .readonly()
    .describe('Of which routes'),
  load: z.enum([...LOAD_WORDS, 'unknown']).describe('As it says itself'),
  reason: z.string().describe('Why it cannot be chosen now; empty when it can'),
})

export const grant = z
  .custom<Grant>((value) => typeof value === 'string' && isGrant(value), `must be one of ${GRANTS.join(', ')}`)
  .meta({ type: 'string', description: 'A scope `domain:verb`, `domain:*` or `*`' })

export const tokenInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()).readonly(),
  createdAt: time,
  expiresAt: time,
})

export const s3KeyInfo = z.strictObject({
  accessKeyId: z.string(),
  name: z.string(),
  buckets: z.array(z.string()).readonly().optional().describe('Absent: all, those to come as well'),
  access: z.enum(['read', 'write']),
  createdAt: time,
})

/** A query parameter that is a whole number. */
export const queryInteger = (least: number, most: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))

/** A bridge that this client knows. */
export const bridgeState = z.strictObject({
  name: z.string().describe('ADDRESS:PORT'),
  state: z.enum(['used', 'ready', 'failed']).describe('failed: it is left alone for a while'),
  fault: fault.optional().describe('Why it failed last'),
})

/** An invitation to this bridge; never its secret. */
export const bridgeInvitation = z.strictObject({ id: z.string(), name: z.string(), createdAt: time })

export const bridgeRole = z.strictObject({
  port: z.int(),
  pin: z.string().describe('Hex: SHA-256 of its public key'),
  connections: z.int().describe('Those of strangers included'),
  streams: z.int(),
  clients: z.int().describe('Invitations with a stream'),
  opened: z.int().describe('Streams since the start'),
  toClients: bytes,
  toMembers: bytes,
  refused: z.record(z.string(), z.int()).describe('Connections and streams, by reason'),
  invitations: z
    .array(bridgeInvitation.extend({ streams: z.int(), opened: z.int(), toClients: bytes, toMembers: bytes }))
    .readonly(),
})

const profileList = (what: string) => z.array(z.string()).readonly().optional().describe(what)

/** What a profile of the VPN says; what it leaves out is as configured. */
export const vpnProfileFields = z.strictObject({
  exit: z.string().optional().describe('auto, nearest, random, a country, a region, or the did:key of a node'),
  hops: z.int().min(2).max(5).optional(),
  tier: tier.optional(),
  legs: z
    .union([z.literal(1), z.literal(2)])
    .optional()
    .describe('Circuits to the exit that are in use at once'),
  isolation: z.enum(['none', 'credentials', 'destination']).optional(),
  rotationMinutes: z.int().min(1).max(1_440).optional().describe('After which new streams take new routes'),
  killSwitch: z.enum(['off', 'on', 'allow-lan']).optional(),
  tun: z.enum(['on', 'off']).optional(),
  tunExclude: profileList('CIDRs'),
  tunInclude: profileList('CIDRs'),
  tunExcludeUsers: profileList('Users of this machine'),
  tunIncludeUsers: profileList('Users of this machine'),
  tunExcludeCgroups: profileList('Paths of cgroups (v2)'),
  tunIncludeCgroups: profileList('Paths of cgroups (v2)'),
  dns: z.enum(['exit', 'off']).optional(),
})

export const vpnProfileWarnings = z.array(fault).readonly().describe('What whoever relies on the profile should know')

export const vpnProfile = z.strictObject({
  name: z.string(),
  builtIn: z.boolean().describe('It can be copied, and not be changed'),
  inUse: z.boolean(),
  fields: vpnProfileFields.describe('What it says'),
  effective: vpnProfileFields.required().describe('With what is configured in the place of what it leaves out'),
  warnings: vpnProfileWarnings,
})

const profileValue = z.union([z.string(), z.number(), z.array(z.string()).readonly()])

/** One field that is another; without `from` or `to` it is left out. */
export const vpnProfileChange = z.strictObject({
  field: z.string(),
  from: profileValue.optional(),
  to: profileValue.optional(),
})

export const vpnPending = z
  .strictObject({
    fields: z.array(z.string()).readonly(),
    takes: z
      .enum(['up', 'again'])
      .optional()
      .describe('up: the next `up` does it; again: an `up` that follows a `down`'),
  })
  .describe('What the VPN, which is up, does not do yet of what its profile says')
