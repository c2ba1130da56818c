import {
  type Clock,
  Emitter,
  type Logger,
  type Random,
  type Scope,
  WeftError,
  isUnspecified,
  systemRandom,
} from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { anonymousCaller } from './anonymous-caller.ts'
import type { OwnPackets } from './admission/admission-profile.ts'
import type { AdmissionProof } from './admission/admission-proof.ts'
import type { OnionKeySource } from './admission/onion-key-source.ts'
import { OwnProfile } from './admission/own-profile.ts'
import type { Offer } from './admission/measure/claims.ts'
import type { LossGauge } from './admission/measure/gauges.ts'
import type { ConformanceProbe } from './admission/probe.ts'
import type { StakeVerifier } from './admission/stake-verifier.ts'
import type { LeaseUse } from './lease/lease-body.ts'
import { LeaseService } from './lease/lease-service.ts'
import { LoadService } from './load/load-service.ts'
import { LivenessService } from './liveness/liveness-service.ts'
import type { MayWatch } from './liveness/neighbourhood.ts'
import { type MapReader, mapReader as ownMapReader } from './map/map-reader.ts'
import { LearntMembers } from './lookup/learnt-members.ts'
import { LookupService } from './lookup/lookup-service.ts'
import { lookupStarts } from './lookup/lookup-starts.ts'
import { RecordFinder } from './lookup/record-finder.ts'
import { SignedMembership } from './map/signed-membership.ts'
import type { Member, Role } from './member.ts'
import { leave } from './membership/leave.ts'
import { MembershipService } from './membership/membership-service.ts'
import type { NetworkFile } from './network/network-file.ts'
import { serveNetworkFile } from './network/network-file-server.ts'
import { networkOf } from './network/network.ts'
import { requireUsablePolicy } from './network/usable-policy.ts'
import type { Overlay, OverlayEvents, PeerStatus } from './overlay.ts'
import { IdleCloser } from './peers/idle-closer.ts'
import { sameNodes } from './peers/layer.ts'
import { watchModeOf } from './peers/mesh.ts'
import { meshOf } from './peers/mesh-of.ts'
import { PeerKeeper } from './peers/peer-keeper.ts'
import type { Reach } from './reach/reach.ts'
import { ReachKeeper } from './reach/reach-keeper.ts'
import { ReachResponder } from './reach/reach-responder.ts'
import { createRecordStore } from './records/create-record-store.ts'
import type { ResourceDescriptor } from './resources/resource-descriptor.ts'
import { Revocations } from './revocation/revocations.ts'
import { MembershipDatabase } from './state/membership-database.ts'
import type { OverlayStores } from './state/overlay-stores.ts'
import { seatStates } from './terms/seat-states.ts'
import type { Term } from './terms/term.ts'
import { Terms } from './terms/terms.ts'
import { type TransportOptions, createTransport } from './transport/create-transport.ts'
import type { ListenAddress } from './transport/listen-address.ts'
import type { OpenThrough } from './transport/through-transport.ts'
import type { Transport } from './transport/transport.ts'

export interface OverlayOptions {
  /** As `parseNetworkFile` returned it. */
  readonly network: NetworkFile
  readonly key: SigningKey
  /** What the node offers; only `client`, or none, for one that needs no certificate. */
  readonly roles: readonly Role[]
  /** Where it listens; port 0 takes a free one. Empty for a pure client. */
  readonly listen: readonly ListenAddress[]
  /** Multiaddrs to declare in place of those listened on; without them a node that listens on all finds out by itself. */
  readonly announce?: readonly string[]
  /** For the roles entry, relay and exit, and for no other: at which port the node takes packets, under which keys. */
  readonly packets?: OwnPackets
  /** Where each of its certificates has its onion key from; left out, all have that of `packets`. */
  readonly onionKeys?: OnionKeySource | undefined
  /** Operator family; in a devnet the network file's table says it. */
  readonly family: string
  readonly region?: string
  /** ISO 3166-1 alpha-2. */
  readonly country?: string
  readonly asn?: number
  /** By way of whom all calls of a pure client go; by default it calls by itself. */
  readonly through?: OpenThrough | undefined
  /** What to say of this machine in the certificate; nothing by default. */
  readonly resources?: ResourceDescriptor
  /** What a pure client lends to others, for which it asks for a lease; nothing by default. */
  readonly lends?: readonly LeaseUse[]
  /** State directory, made if missing; or stores that are open and stay so. */
  readonly directory: string | OverlayStores
  readonly clock: Clock
  /** Default: the system's. Keys never come from it. */
  readonly random?: Random
  readonly logger: Logger
  /** The overlay closes with it. */
  readonly scope: Scope
  /** What a validator asks of applicants for a role, beside the protocol itself. */
  readonly probes?: readonly ConformanceProbe[]
  /** What the policy of the network asks for, where it asks for something. */
  readonly proof?: AdmissionProof
  /** What the node has, where its operator says it; otherwise it claims what the network asks of its roles. */
  readonly offer?: Offer
  /** How a validator measures the loss of packets; without it, it cannot judge who claims a loss. */
  readonly loss?: LossGauge
  /** How a validator judges proofs of stake. */
  readonly stake?: StakeVerifier
  /** Makes this node's end of the network; `createTransport` by default. */
  readonly transport?: (options: TransportOptions) => Promise<Transport>
  /** How the entries of maps are verified and read; `mapReader` by default. */
  readonly mapReader?: MapReader
}

/**
 * Starts this node's part in the network: listens, applies for membership if it offers anything, follows the signed
 * map, keeps connections to the members, and, for a validator, judges and signs. Returns once it listens; admission
 * goes on behind (`admission()`, event `admission`).
 * @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED, E_STATE_UNWRITABLE, E_DISK_FULL, E_STATE_CORRUPT, E_ANNOUNCE_NEEDED, E_NOT_IN_SIMULATION, E_POLICY_UNAVAILABLE
 */
export async function createOverlay(options: OverlayOptions): Promise<Overlay> {
  const scope = options.scope.child('overlay')
  try {
    return await startOverlay({ ...options, scope })
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function startOverlay(options: OverlayOptions): Promise<Overlay> {
  const { key, clock, logger, scope, directory, random = systemRandom, probes = [], mapReader = ownMapReader } = options
  requireUsablePolicy(options.network, options.stake !== undefined)
  const self = key.id
  const network = networkOf(options.network)
  const emitter = new Emitter<OverlayEvents>()
  const database =
    typeof directory === 'string'
      ? scope.use('membership database', new MembershipDatabase(directory))
      : directory.membership
  const terms: Terms = new Terms({ network, store: database, heldEpoch: () => membership.epoch, logger })
  const revocations = new Revocations({ network, database, clock, logger })
  const membership = new SignedMembership({ network, database, revocations, clock, logger, reader: mapReader })
  const validatorAt = (id: DidKey): readonly string[] =>
    network.validators.find((seat) => seat.id === id)?.addresses ?? []
  const learnt = new LearntMembers()
  const transport = await (options.transport ?? createTransport)({
    networkId: network.id,
    key,
    listen: options.listen,
    ...(options.announce === undefined ? {} : { announce: options.announce }),
    clock,
    logger,
    scope,
    access: membership,
    relay: options.roles.includes('relay'),
    punch: options.network.simulated === undefined,
    through: options.through,
    lookup: (id) => learnt.addresses(id, membership.member(id)) ?? validatorAt(id),
  })
  serveNetworkFile(transport, options.network)
  const onAdmission = (): void => emitter.emit('admission', service.admission())
  const roles = options.roles.filter((role) => role !== 'client')
  const profile = roles.length === 0 ? undefined : ownProfile(options, network.id)
  const declared = profile === undefined ? undefined : declaredAddresses(options, transport)
  if (declared !== undefined) profile?.reachedAt({ addresses: declared })
  const service = new MembershipService({
    network,
    terms,
    key,
    membership,
    database,
    revocations,
    transport,
    profile,
    onionKeys: options.onionKeys,
    proof: options.proof,
    stake: options.stake,
    probes,
    loss: options.loss,
    offer: options.offer ?? {},
    clock,
    random,
    logger,
    scope,
    onAdmission,
  })
  const uses = profile === undefined ? (options.lends ?? []) : []
  const onLease = (): void => emitter.emit('lease', leases.own())
  const leases: LeaseService = new LeaseService({
    network,
    key,
    transport,
    membership,
    revocations,
    uses,
    clock,
    random,
    logger,
    onState: onLease,
  })
  const responder = new ReachResponder({ prober: transport, clock })
  transport.handle('peer.reach', (request, caller, signal) => responder.answer(request, caller, signal))
  const members = (): readonly Member[] => membership.members()
  const onReach = (reach: Reach): void => {
    profile?.reachedAt(placeOf(reach, transport.seenAt()))
    emitter.emit('reach', reach)
  }
  const asking = profile !== undefined && declared === undefined
  const { listen } = options
  const finder = asking
    ? new ReachKeeper({
        self,
        roles,
        listen,
        packetsPort: options.packets?.port,
        transport,
        members,
        onMembers: (listener) => membership.onChange(listener),
        validators: () => network.validators,
        clock,
        random,
        logger,
        onReach,
      })
    : undefined
  const liveness = new LivenessService({
    key,
    membership,
    transport,
    clock,
    random,
    logger,
    onAnswer: (id, rttMs) => keeper.answered(id, rttMs),
    onStanding: (change) => keeper.judged(change),
  })
  const loads = new LoadService({ key, membership, transport, clock, random, logger })
  const starts = (): readonly DidKey[] =>
    lookupStarts({ self, network, membership, connected: () => transport.connected(), random })
  const base = { network, membership, clock, logger }
  const lookups = new LookupService({ ...base, self, revocations, rpc: transport, starts, learnt })
  const holder = profile !== undefined
  const isSuspect = (id: DidKey): boolean => liveness.down.has(id)
  const {
    store: records,
    placement,
    handOver,
  } = await createRecordStore({
    rpc: transport,
    membership,
    self,
    directory: typeof directory === 'string' ? directory : directory.records,
    clock,
    logger,
    scope,
    holder,
    isSuspect,
    finder: new RecordFinder({ ...base, lookups }),
  })
  const onState = (status: PeerStatus): void => {
    if (status.state === 'unreachable') service.lost(status.id)
    else if (status.state === 'connected') service.found(status.id)
    if (membership.isMember(status.id)) emitter.emit('peer', status)
  }
  const keeper = new PeerKeeper({ self, transport, watch: liveness, clock, random, logger, onState })
  let placed: readonly Member[] | undefined
  let neighbours: ReadonlySet<DidKey> = new Set()
  let mayKeep: MayWatch | undefined
  const keepPeers = (): void => {
    const members = membership.members()
    // Most maps only renew certificates, which may move a neighbour to another network.
    const same = placed !== undefined && sameNodes(placed, members)
    const mode = watchModeOf(membership, self)
    if (!same) {
      placed = members
      const mesh = meshOf(
        members,
        network.validators.map(({ id }) => id),
      )
      neighbours = mesh.neighbours(self)
      mayKeep = mode === 'sparse' ? (keeper, kept) => mesh.linked(keeper, kept) : undefined
    }
    // First: the keeper tells it which of them have a connection.
    liveness.watch(neighbours, mode, mayKeep)
    if (!same) keeper.keep(neighbours)
  }
  const onMap = (): void => {
    keepPeers()
    emitter.emit('map', { epoch: membership.status().epoch ?? 0, members: membership.members().length })
  }
  const onTerm = (term: Term): void => {
    placed = undefined
    keepPeers()
    emitter.emit('term', term)
  }
  scope.defer('peers of the map', membership.onChange(onMap))
  scope.defer('peers of the term', network.onTerm(onTerm))
  keeper.start(scope.signal)
  liveness.start(scope.signal)
  keepPeers()
  service.start()
  leases.start(scope)
  loads.start(scope)
  const closer = new IdleCloser({ transport, keeps: (id) => neighbours.has(id), clock, logger })
  scope.spawn('idle connections', (signal) => closer.run(signal))
  if (finder !== undefined) scope.spawn('reach', (signal) => finder.run(signal))
  return {
    self,
    networkId: network.id,
    membership,
    records,
    lookup: (target, signal) =>
      lookups.find(target, signal === undefined ? scope.signal : AbortSignal.any([scope.signal, signal])),
    rpc: transport,
    streams: transport,
    anonymous: (open) => anonymousCaller({ networkId: network.id, placement, isSuspect, clock, logger, scope }, open),
    admission: () => service.admission(),
    reach: () =>
      finder?.reach ?? (declared === undefined ? { state: 'client' } : { state: 'direct', addresses: declared }),
    peers: () => membership.members().flatMap(({ id }) => (id === self ? [] : [statusOf(keeper, transport, id, true)])),
    peer: (id) => statusOf(keeper, transport, id, membership.isMember(id)),
    suspects: () => new Set(liveness.down.values().filter((id) => membership.isMember(id))),
    loads,
    term: () => network.term,
    seats: () =>
      seatStates(network.term, {
        self,
        hasMap: membership.members().length > 0,
        isMember: (id) => membership.isMember(id),
        kept: (id) => keeper.status(id),
        suspects: liveness.down,
        connected: new Set(transport.connected()),
        signers: new Set(membership.signers()),
      }),
    certificateVotes: (ids, signal) => service.reader.votes(ids, signal),
    revocations: () => service.revocation.status(),
    revoke: (id, reason, blockMs, signal) => service.revocation.revoke(id, reason, blockMs, signal ?? scope.signal),
    lease: () => leases.own(),
    leases: (signal) => leases.list(signal ?? scope.signal),
    leave: (leaving) => leave({ self, membership, service, handOver, scope, ...leaving }),
    ping: (id, signal) => keeper.ping(id, signal),
    on: (name, listener) => emitter.on(name, listener),
    [Symbol.asyncDispose]: () => scope.close(),
  }
}

function ownProfile(options: OverlayOptions, networkId: string): OwnProfile {
  const { network, key, roles, packets, family, region, country, asn, resources } = options
  return new OwnProfile({ networkId, network, key, roles, packets, family, region, country, asn, resources })
}

/**
 * Where the node is reached as its operator says it: announced, in the network file, or by listening on one address.
 * Undefined where it listens on all, and others have to say from where it is seen.
 * @throws WeftError E_LISTEN_NEEDED
 */
function declaredAddresses(options: OverlayOptions, transport: Transport): readonly string[] | undefined {
  if (options.announce !== undefined) return options.announce
  const { roles, listen, network, key } = options
  if (listen.length === 0) {
    throw new WeftError({
      code: 'E_LISTEN_NEEDED',
      cause: `A node with the roles ${roles.join(', ')} has to listen, and no address is set to listen on.`,
      fix: 'Set an address and port to listen on (--public-port), or run the node as a client (--roles client).',
    })
  }
  if (listen.every(({ host }) => !isUnspecified(host))) return transport.listenAddresses()
  return network.validators.find(({ id }) => id === key.id)?.addresses
}

/** Where a node with this reach is, as it wants it certified. */
function placeOf(
  reach: Reach,
  seenAt: string | undefined,
): { readonly addresses: readonly string[]; readonly seenAt: string | undefined } | undefined {
  if (reach.state !== 'direct' && reach.state !== 'relayed') return undefined
  return { addresses: reach.addresses, seenAt }
}

function statusOf(keeper: PeerKeeper, transport: Transport, id: DidKey, isMember: boolean): PeerStatus {
  const status = keeper.status(id)
  if (status !== undefined && isMember) {
    const relayed = status.state === 'connected' && !transport.isDirect(id)
    return relayed ? { ...status, relayed } : status
  }
  const cause = isMember
    ? `No connection is kept to ${shortId(id)}: this network is too large for one to every member.`
    : `${shortId(id)} is not in the signed map.`
  const fix = isMember ? 'Nothing to do: a connection is made when it is needed.' : 'See `weft members` for who is.'
  return {
    id,
    state: 'unreachable',
    since: 0,
    rttMs: undefined,
    fault: { code: isMember ? 'E_PEER_NOT_KEPT' : 'E_NOT_A_MEMBER', cause, fix },
  }
}
