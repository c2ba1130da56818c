import { type Clock, Emitter, type Logger, type Random, type Scope, WeftError, systemRandom } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { type AdmissionProfile, type OwnPackets, admissionProfile } from './admission/admission-profile.ts'
import type { ConformanceProbe } from './admission/probe.ts'
import { type MapReader, mapReader as ownMapReader } from './map/map-reader.ts'
import { LearntMembers } from './lookup/learnt-members.ts'
import { LookupService } from './lookup/lookup-service.ts'
import { lookupStarts } from './lookup/lookup-starts.ts'
import { RecordFinder } from './lookup/record-finder.ts'
import { SignedMembership } from './map/signed-membership.ts'
import type { Role } from './member.ts'
import { MembershipService } from './membership/membership-service.ts'
import type { NetworkFile } from './network/network-file.ts'
import { networkOf } from './network/network.ts'
import type { Overlay, OverlayEvents, PeerStatus } from './overlay.ts'
import { neighboursOf } from './peers/neighbours.ts'
import { PeerKeeper } from './peers/peer-keeper.ts'
import { createRecordStore } from './records/create-record-store.ts'
import { MembershipDatabase } from './state/membership-database.ts'
import { Revocations } from './revocation/revocations.ts'
import type { OverlayStores } from './state/overlay-stores.ts'
import { type TransportOptions, createTransport } from './transport/create-transport.ts'
import type { Transport } from './transport/transport.ts'

export interface OverlayOptions {
  /** As `parseNetworkFile` returned it. */
  readonly network: NetworkFile
  readonly key: SigningKey
  /** What the node offers; only `client`, or none, for one that needs no certificate. */
  readonly roles: readonly Role[]
  /** Where it listens; port 0 takes a free one. Empty for a pure client. */
  readonly listen: readonly { readonly host: string; readonly port: number }[]
  /** Multiaddrs to declare in place of those listened on. */
  readonly announce?: readonly string[]
  /** For the roles entry, relay and exit, and for no other: at which port the node takes packets, under which keys. */
  readonly packets?: OwnPackets
  /** Operator family; in a devnet the network file's table says it. */
  readonly family: string
  readonly region?: string
  /** ISO 3166-1 alpha-2. */
  readonly country?: string
  readonly asn?: number
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
  /** Makes this node's end of the network; `createTransport` by default. */
  readonly transport?: (options: TransportOptions) => Promise<Transport>
  /** How the entries of maps are verified and read; `mapReader` by default. */
  readonly mapReader?: MapReader
}

/**
 * Starts this node's part in the network: listens, applies for membership if it offers anything, follows the signed
 * map, keeps connections to the members, and, for a validator, judges and signs. Returns once it listens; admission
 * goes on behind (`admission()`, event `admission`).
 * @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED, E_STATE_UNWRITABLE, E_DISK_FULL, E_STATE_CORRUPT, E_ANNOUNCE_NEEDED, E_NOT_IN_SIMULATION
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
  const self = key.id
  const network = networkOf(options.network)
  const emitter = new Emitter<OverlayEvents>()
  const database =
    typeof directory === 'string'
      ? scope.use('membership database', new MembershipDatabase(directory))
      : directory.membership
  const revocations = new Revocations({ network, database, clock, logger })
  const membership = new SignedMembership({ network, database, revocations, clock, logger, reader: mapReader })
  const genesis = new Map(network.validators.map(({ id, addresses }) => [id, addresses]))
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
    lookup: (id) => learnt.addresses(id, membership.member(id)) ?? genesis.get(id) ?? [],
  })
  const onAdmission = (): void => emitter.emit('admission', service.admission())
  const profile = profileOf(options, network.id, transport)
  const service = new MembershipService({
    network,
    key,
    membership,
    database,
    revocations,
    transport,
    profile,
    probes,
    clock,
    random,
    logger,
    scope,
    onAdmission,
  })
  const starts = (): readonly DidKey[] =>
    lookupStarts({ self, network, membership, connected: () => transport.connected(), random })
  const base = { network, membership, clock, logger }
  const lookups = new LookupService({ ...base, self, revocations, rpc: transport, starts, learnt })
  const holder = profile !== undefined
  const records = await createRecordStore({
    rpc: transport,
    membership,
    self,
    directory: typeof directory === 'string' ? directory : directory.records,
    clock,
    logger,
    scope,
    holder,
    finder: new RecordFinder({ ...base, lookups }),
  })
  const onState = (status: PeerStatus): void => {
    if (membership.isMember(status.id)) emitter.emit('peer', status)
  }
  const keeper = new PeerKeeper({ self, transport, clock, random, logger, onState })
  const ranks = new Map<DidKey, number>()
  let ranked: readonly DidKey[] | undefined
  const keepPeers = (): void => {
    const members = membership.members().map(({ id }) => id)
    // Ranking hashes every pair; most maps only renew certificates.
    if (ranked?.length === members.length && members.every((id, at) => id === ranked?.[at])) return
    ranked = members
    keeper.keep(neighboursOf(self, members, [...genesis.keys()], ranks))
  }
  const onMap = (): void => {
    keepPeers()
    emitter.emit('map', { epoch: membership.status().epoch ?? 0, members: membership.members().length })
  }
  scope.defer('peers of the map', membership.onChange(onMap))
  keeper.start(scope.signal)
  keepPeers()
  service.start()
  return {
    self,
    networkId: network.id,
    membership,
    records,
    lookup: (target, signal) =>
      lookups.find(target, signal === undefined ? scope.signal : AbortSignal.any([scope.signal, signal])),
    rpc: transport,
    streams: transport,
    admission: () => service.admission(),
    peers: () => membership.members().flatMap(({ id }) => (id === self ? [] : [statusOf(keeper, id, true)])),
    peer: (id) => statusOf(keeper, id, membership.isMember(id)),
    certificateVotes: (ids, signal) => service.reader.votes(ids, signal),
    revocations: () => service.revocation.status(),
    revoke: (id, reason, blockMs, signal) => service.revocation.revoke(id, reason, blockMs, signal ?? scope.signal),
    ping: (id, signal) => keeper.ping(id, signal),
    on: (name, listener) => emitter.on(name, listener),
    [Symbol.asyncDispose]: () => scope.close(),
  }
}

/** What to be certified as; undefined for a pure client. @throws WeftError E_LISTEN_NEEDED and those of `admissionProfile` */
function profileOf(options: OverlayOptions, networkId: string, transport: Transport): AdmissionProfile | undefined {
  const roles = options.roles.filter((role) => role !== 'client')
  if (roles.length === 0) return undefined
  const addresses = options.announce ?? transport.listenAddresses()
  if (addresses.length === 0) {
    throw new WeftError({
      code: 'E_LISTEN_NEEDED',
      cause: `A node with the roles ${roles.join(', ')} has to listen, and no address is set to listen on.`,
      fix: 'Set an address and port to listen on (--public-port), or run the node as a client (--roles client).',
    })
  }
  const { network, key, packets, family, region, country, asn } = options
  return admissionProfile({ networkId, network, key, roles, addresses, packets, family, region, country, asn })
}

function statusOf(keeper: PeerKeeper, id: DidKey, isMember: boolean): PeerStatus {
  const status = keeper.status(id)
  if (status !== undefined && isMember) return status
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
