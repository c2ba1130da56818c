import type { Fault } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Tier } from '@weft/onion'
import type { LoadWord } from '@weft/overlay'
import type { PurseStatus, ReceiptsStatus } from './receipts/receipts-status.ts'
import type { DiscardReason } from './route/discard-reason.ts'
import type { KeptKillSwitchStatus, KillSwitchRestored } from './service/kill-switch-keeper.ts'

export type HopRole = 'entry' | 'relay' | 'exit'

/**
 * green: as usual; yellow: worse than usual, or its leg is silent and which hop it is is not known; red: nothing or too little comes through, or it
 * tells what cannot be true; unknown: it has not answered yet.
 */
export type HopHealth = 'green' | 'yellow' | 'red' | 'unknown'

/** One node of a route as the client knows it. */
export interface HopStatus {
  readonly node: DidKey
  readonly role: HopRole
  /** ISO 3166-1 alpha-2, as the signed map has it. */
  readonly country: string
  readonly region: string
  /** True when the place is a devnet's invention. */
  readonly simulated: boolean
  /** ms, round trip from the hop before (from this node for the entry); undefined until measured. */
  readonly latencyMs: number | undefined
  /** ms, mean deviation between round trips from the hop before that follow each other; undefined until measured. */
  readonly jitterMs: number | undefined
  /** Of the cells of late on the link before it, both ways; undefined where too few went over it. */
  readonly lossPercent: number | undefined
  /** What this leg has through it, both ways, of late; undefined until it was asked twice. */
  readonly bandwidthBytesPerSecond: number | undefined
  /** ms for which it has answered over this leg; undefined until it has. */
  readonly upMs: number | undefined
  /** What seals the layer between client and hop; undefined until that is agreed. */
  readonly suite: HopSuite | undefined
  readonly health: HopHealth
  /** Why it is not green; empty when it is. */
  readonly reason: string
}

export type HopSuite = 'chacha20-poly1305' | 'aes-256-gcm'

/**
 * silent: nothing comes back, or a hop cannot be reached; new connections go over another one. failed: it ended while its hops were asked; only verification tells
 * of such a leg.
 */
export type LegState = 'building' | 'active' | 'spare' | 'silent' | 'failed'

/** What packets between this node and an entry travel in: a UDP datagram each, two of them, or TLS over TCP. */
export type CarriedOver = 'udp' | 'halves' | 'tls'

/** How a client's packets get to its entries. */
export interface CarriageStatus {
  /** What new links begin with. */
  readonly over: CarriedOver
  readonly setting: 'auto' | 'udp' | 'tls'
  /** Why; empty where nothing is to be said. */
  readonly reason: string
  /** ms since the Unix epoch: when it was found that UDP is blocked. */
  readonly since: number | undefined
}

/** What a circuit was to do against traffic analysis, and what all of its hops do; undefined until they said so. A hop may do less from some time on. */
export interface LegTier {
  readonly asked: Tier
  readonly taken: Tier | undefined
}

/** One circuit to an exit. */
export interface LegStatus {
  readonly state: LegState
  /** Of its link to the entry. */
  readonly carriage: CarriedOver
  /** Undefined without a tier. */
  readonly tier: LegTier | undefined
  readonly hops: readonly HopStatus[]
  /** ms, to the exit and back; undefined until measured. */
  readonly rttMs: number | undefined
  /** Streams that run over it. */
  readonly streams: number
  /** ms since the Unix epoch. */
  readonly since: number
  readonly fault: Fault | undefined
}

/** Bytes a second over the last second, each way as the user sees it: of connections, without what carries them. */
export interface Throughput {
  readonly sentBytesPerSecond: number
  readonly receivedBytesPerSecond: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

/** `legs`: the one in use first, when there is one (its state is `active`). */
export interface RouteLegs {
  readonly legs: readonly LegStatus[]
  readonly rttMs: number | undefined
  readonly throughput: Throughput
}

/**
 * ready: a leg is; moved: other legs carry from now on; lost: a leg fell silent or ended; degraded: a hop got worse; back: a leg, or a hop, is as before;
 * blocked: no route can be built; rotated: legs were replaced since it was time, or the profile was changed; improved: by better ones.
 */
export type RouteEventKind = 'ready' | 'moved' | 'lost' | 'back' | 'degraded' | 'blocked' | 'rotated' | 'improved'

/** Something that happened to a route. */
export interface RouteEvent extends Fault {
  /** ms since the Unix epoch. */
  readonly at: number
  readonly kind: RouteEventKind
  /** The hop that it is about, where it is about one. */
  readonly node: DidKey | undefined
  readonly role: HopRole | undefined
}

export interface RouteStatus extends RouteLegs {
  /** The newest first, 32 at most. */
  readonly events: readonly RouteEvent[]
}

/**
 * What goes over routes of its own: what asks the proxy without user and password, the whole machine, each user and password, and groups of destinations
 * where a profile keeps these apart. Of the first only datagrams and names (where there is no tunnel) are left then: they have no destination that tells them apart.
 */
export interface RouteUse {
  readonly use: 'proxy' | 'tunnel' | 'credentials' | 'destination'
  /** Of a user and password: the first that was seen has 1. Of a group of destinations: 1 to 8, which of them it is. It says nothing of them. */
  readonly number: number | undefined
}

/** Routes beside those of the proxy; `legs` as there. */
export interface OtherRouteStatus extends RouteUse {
  readonly use: 'tunnel' | 'credentials' | 'destination'
  readonly state: Exclude<VpnState, 'off'>
  readonly fault: Fault | undefined
  readonly legs: readonly LegStatus[]
  readonly events: readonly RouteEvent[]
}

/** What a hop says that it counted of one circuit, whole numbers since the circuit was begun (docs/specs/packets.md, Counters). */
export interface HopCounted {
  /** Cells from the client's side that opened, of these passed on, and dropped before for want of room. */
  readonly opened: number
  readonly passed: number
  readonly droppedForward: number
  /** Cells from the next hop, of these dropped, and cells sent towards the client. */
  readonly came: number
  readonly droppedBackward: number
  readonly sent: number
}

/** What is known of one hop of a leg, and by whose word. */
export interface HopVerification {
  readonly node: DidKey
  readonly role: HopRole
  /** It answered the question of this verification. */
  readonly answered: boolean
  /** As this node counted: cells that it sent with a layer of the hop, and those that came back with its right tag. */
  readonly sent: number
  readonly verified: number
  /** As the hop says; undefined while it has said nothing. */
  readonly counted: HopCounted | undefined
  /** Of the link before it, of late; undefined where too few cells went over it. */
  readonly lossForwardPercent: number | undefined
  readonly lossBackwardPercent: number | undefined
  readonly health: HopHealth
  readonly reason: string
}

/** A loss beyond chance. link: between the hop before and this one, that is at one of the two or between them; hop: dropped by it, as it says. */
export interface VerifiedLoss {
  readonly part: 'link' | 'hop'
  readonly node: DidKey
  readonly role: HopRole
  /** forward: towards the exit. */
  readonly direction: 'forward' | 'backward'
  readonly percent: number
  /** What it was found by: cells, and how many of them were lost. */
  readonly sent: number
  readonly lost: number
  /** Of so much at this place by accident. */
  readonly chance: number
  /** For how long. */
  readonly forMs: number
}

/** A delay that was added at a hop or on the link before it, there and back. */
export interface VerifiedDelay {
  readonly node: DidKey
  readonly role: HopRole
  readonly addedMs: number
  readonly forMs: number
}

/** Figures that cannot be true: of one hop, or of two of which one at least does not tell the truth. */
export interface VerifiedContradiction {
  readonly nodes: readonly DidKey[]
  readonly what: string
  readonly forMs: number
}

export interface LegVerification extends RouteUse {
  readonly state: LegState
  /** Cells that this node sent; that came back with the right tag of every hop; and that did not, or did not belong where they came. */
  readonly sent: number
  readonly verified: number
  readonly rejected: number
  readonly hops: readonly HopVerification[]
  readonly losses: readonly VerifiedLoss[]
  readonly delays: readonly VerifiedDelay[]
  readonly contradictions: readonly VerifiedContradiction[]
}

/** What every hop of every leg answered when it was asked now. */
export interface RouteVerification {
  /** ms since the Unix epoch. */
  readonly at: number
  readonly legs: readonly LegVerification[]
}

/** Of one member: what it was for a hop when that was chosen. */
export interface HopStanding {
  readonly node: DidKey
  /** unlisted: the signed map of that time had no such member that carries packets. */
  readonly standing: 'chosen' | 'candidate' | 'out' | 'unlisted'
  /** Of one that came into question: 1/16 to 1, and how likely it was to be drawn, 0 to 1. */
  readonly weight: number | undefined
  readonly share: number | undefined
  /** Why it fell out, and the node with which it has that in common, where it has. */
  readonly reason: DiscardReason | undefined
  readonly beside: DidKey | undefined
}

/** How a hop came to its place, as it was when it was chosen. */
export interface HopChoice {
  readonly node: DidKey
  readonly role: HopRole
  /** Members that came into question, it among them. */
  readonly candidates: number
  /** Its own, as of {@link HopStanding}; guards are not weighed, and the first that fits is taken: 1 and 1. */
  readonly weight: number
  readonly share: number
  /** Bits of uncertainty: of the weights, and the least that the draw has by its floor. */
  readonly bits: number
  readonly floorBits: number
  /** How many members fell out for what, the most first. */
  readonly discarded: readonly { readonly reason: DiscardReason; readonly words: string; readonly count: number }[]
  /** Of those that came into question the heaviest, and of those that fell out some: no more of each than were asked for. */
  readonly heaviest: readonly HopStanding[]
  readonly out: readonly HopStanding[]
  /** The node that was asked for. */
  readonly asked: HopStanding | undefined
}

/** How the hops of one leg were chosen. */
export interface LegChoice extends RouteUse {
  readonly state: LegState
  /** ms since the Unix epoch. */
  readonly chosenAt: number
  readonly hops: readonly HopChoice[]
}

/** An entry that this client keeps (docs/specs/routes.md, Guards). */
export interface GuardStatus {
  readonly node: DidKey
  /** Legs begin at it, or at another one while it is not ready. */
  readonly primary: boolean
  /** ms since the Unix epoch: from when its time counts, and when it may be given up. */
  readonly since: number
  readonly until: number
  /** It answered once, at whatever time. */
  readonly answered: boolean
  /** silent: it did not answer the last time; doubted: circuits behind it are lost that are not behind others; not-called: the network around does not lead to it; unlisted: it is no entry of the signed map. */
  readonly state: 'ready' | 'silent' | 'doubted' | 'not-called' | 'unlisted'
  /** ms since the Unix epoch: when one that is silent is tried again; since when one is not listed. */
  readonly retryAt: number | undefined
  readonly unlistedSince: number | undefined
}

/** Why the routes are as they are. */
export interface RouteChoices {
  /** ms since the Unix epoch. */
  readonly at: number
  /** Those in use first. */
  readonly legs: readonly LegChoice[]
  /** In the order in which they are taken; 20 at most. */
  readonly guards: readonly GuardStatus[]
}

/** What is to be told of choices. */
export interface ChoiceQuestion {
  /** A node of which it is to be told what it was for each hop. */
  readonly node?: DidKey | undefined
  /** How many members are named of each hop, those that came into question and those that fell out by themselves: 100 at most. */
  readonly named: number
}

export interface ExitStatus {
  readonly node: DidKey
  readonly country: string
  readonly region: string
  readonly family: string
  readonly simulated: boolean
  /** It is the exit of a leg in use. */
  readonly used: boolean
  /** Whose. */
  readonly uses: readonly RouteUse[]
  /** As it says itself (docs/specs/load.md). */
  readonly load: LoadWord | 'unknown'
  /** Why it cannot be chosen now; empty when it can. */
  readonly reason: string
}

/** off: the proxy does not listen; connecting: no route yet; connected; blocked: no route can be built, `fault` says why. */
export type VpnState = 'off' | 'connecting' | 'connected' | 'blocked'

/** A request that the proxy could not fulfil, or a connection that ended with its route; without its target, which is nobody's business. */
export interface ProxyFailure extends Fault {
  /** ms since the Unix epoch: of the last, when several failed alike one after another. */
  readonly at: number
  /** How many of them; 1 or more. */
  readonly count: number
}

/** Super-packets that the system gave and took at an interface, and how many packets they were split into, or merged of. */
export interface SuperPackets {
  readonly read: number
  readonly split: number
  readonly written: number
  readonly merged: number
}

/** Of IP packets with their headers. */
export interface IpBytes {
  readonly sent: number
  readonly received: number
}

/** The IP packets of clients at an exit whose operator allows them. */
export interface ExitIpStatus {
  /** Clients that have an address. */
  readonly clients: number
  readonly ipv6: boolean
  /** Those sent and received, as its clients have it, and those dropped, by reason. */
  readonly packets: Readonly<Record<string, number>>
  readonly bytes: IpBytes
  readonly superPackets: SuperPackets
  /** Why none are carried. */
  readonly fault: Fault | undefined
}

/** What one of several packet workers carries. */
export interface WorkerStatus {
  readonly circuits: number
  readonly links: number
  /** Of the circuits those that are legs of sessions of other workers. */
  readonly legsElsewhere: number
  readonly packetsForwarded: number
}

/** What this node carries for others, all its packet workers together. */
export interface CarriedStatus {
  /** Each by itself. */
  readonly workers: readonly WorkerStatus[]
  readonly circuits: number
  readonly links: number
  /** Clients that are connected by TLS. */
  readonly inTls: number
  readonly exitStreams: number
  /** Channels of datagrams that clients have at this exit. */
  readonly exitChannels: number
  /** Connections to services of members that clients have by circuits that end here: now, and since the start. */
  readonly memberStreams: number
  readonly memberStreamsOpened: number
  /** Undefined at an exit that is not to carry IP packets. */
  readonly exitIp: ExitIpStatus | undefined
  readonly packetsForwarded: number
  readonly packetsReceived: number
  readonly packetsSent: number
  /** Cells that wait now. */
  readonly packetsWaiting: number
  /** Cells that went on after they had waited, by what their circuits counted as. */
  readonly packetsWaited: { readonly realtime: number; readonly interactive: number; readonly bulk: number }
  readonly packetsDropped: Readonly<Record<string, number>>
  /** What is no packet: batches that went packet by packet, connections in TLS that were refused or sent what is no packet. */
  readonly portEvents: Readonly<Record<string, number>>
}

/** The whole machine through the route. */
export interface TunStatus {
  readonly interface: string
  /** Bytes. */
  readonly mtu: number
  /**
   * waiting: no exit carries its packets at the moment, and none leave. failed: it could not be opened, and packets go their own way; shut: there
   * is none, and rules of a daemon that was killed let nothing leave.
   */
  readonly state: 'waiting' | 'open' | 'failed' | 'shut'
  readonly exit: DidKey | undefined
  /** The exit carries IPv6; otherwise it is unreachable. */
  readonly ipv6: boolean
  /** Those sent and received, and those dropped, by reason. */
  readonly packets: Readonly<Record<string, number>>
  readonly bytes: IpBytes
  readonly superPackets: SuperPackets
  readonly fault: Fault | undefined
}

/** Routes of this node to services of members: those of `weft put --private` and its kin. */
export interface ServicesStatus {
  readonly routes: number
  /** Connections over them that are open or being opened. */
  readonly streams: number
  /** Since the start. */
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface VpnStatus {
  readonly state: VpnState
  readonly fault: Fault | undefined
  /** Where the proxy listens; undefined when it does not. */
  readonly proxy: { readonly host: string; readonly port: number } | undefined
  /** Where names are answered (DNS); undefined when they are not. */
  readonly dns: { readonly host: string; readonly port: number } | undefined
  /** Undefined while nobody asked for it. */
  readonly tun: TunStatus | undefined
  /** By the rules of the kernel; undefined where nobody looks after it. */
  readonly killSwitch: KeptKillSwitchStatus | undefined
  readonly streams: { readonly open: number; readonly opened: number; readonly failed: number }
  /** The latest first, 16 at most. */
  readonly failures: readonly ProxyFailure[]
  readonly route: RouteStatus
  /** The tunnel's first, then those of users and passwords, and of groups of destinations. */
  readonly others: readonly OtherRouteStatus[]
  readonly services: ServicesStatus
  readonly carriage: CarriageStatus
  /** Undefined on a node without the roles entry, relay and exit. */
  readonly carried: CarriedStatus | undefined
  /** How pay for circuits stands; absent where it is off. */
  readonly receipts?: ReceiptsStatus | undefined
}

/** As a packet thread knows it. */
export interface ThreadStatus extends Omit<VpnStatus, 'receipts'> {
  readonly purse?: PurseStatus | undefined
}

export interface VpnEvents {
  /** The state or the legs changed; at most four a second. */
  readonly route: { readonly state: VpnState; readonly route: RouteLegs; readonly fault: Fault | undefined }
  /** Something happened to a route, as it happens. */
  readonly routeEvent: RouteEvent & RouteUse
  /** Throughput of the last second, while something flows. */
  readonly throughput: Throughput
  /** Rules of the kill switch that somebody took away or changed are there again. */
  readonly killSwitch: KillSwitchRestored
}

/** The VPN of one node: its proxy and routes, and what it carries for others by its roles. */
export interface Vpn extends AsyncDisposable {
  /**
   * Starts the proxy and a route.
   * @param tun whether the whole machine goes through a route as well; what it is told once holds until `down`
   * @throws WeftError E_PORT_TAKEN, E_TUN_SPLIT, E_TUN_UNAVAILABLE, E_TUN_TAKEN, E_TUN_ROLES
   */
  up(tun?: boolean): Promise<void>
  /** Ends the proxy, every connection over it and the routes. */
  down(): Promise<void>
  status(): Promise<VpnStatus>
  exits(): Promise<readonly ExitStatus[]>
  /** Asks each hop of each leg that is ready for its counters now, and waits for the answers for 3 s at most. */
  verify(): Promise<RouteVerification>
  /** Why the routes are as they are; without legs and guards while the packet thread does not run. */
  choices(question: ChoiceQuestion): Promise<RouteChoices>
  on<K extends keyof VpnEvents>(name: K, listener: (event: VpnEvents[K]) => void): () => void
}
