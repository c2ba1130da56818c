import { KiB, MiB } from '@weft/wire'

/** Tuning of the transport. Limits of the protocol itself are in @weft/wire; these may differ from node to node. */

/** ms: to open a socket and secure it, per address. */
export const ADDRESS_DIAL_TIMEOUT_MS = 5_000
/** The same by way of somebody else, who has to be called first. */
export const THROUGH_DIAL_MS = 15_000
/** Addresses tried per node; a certificate has no more. */
export const MAX_ADDRESSES = 8
/** ms: an inbound connection must be secured and multiplexed within this. */
export const INBOUND_UPGRADE_TIMEOUT_MS = 5_000
/** ms: to agree on the protocol of a stream. */
export const NEGOTIATION_TIMEOUT_MS = 5_000
/** ms: a caller of another network gets this long to see from identify why it will be dropped. */
export const STRANGER_GRACE_MS = 2_000
/** ms between pings that find dead connections of peers that nobody keeps; members are asked more often (docs/specs/liveness.md). */
export const MONITOR_INTERVAL_MS = 30_000
/**
 * ms without an answer after which such a ping ends the connection and all its streams. A ping waits behind the bulk
 * data of its connection, so libp2p's 5 s may end a healthy one on a busy machine (not reproduced; docs/known-issues.md).
 */
export const MONITOR_TIMEOUT_MS = 20_000
/** Pings under way per connection: the monitor's and the peer keeper's may overlap on a slow machine. */
export const MAX_PING_STREAMS = 8

/** Connections in all, both directions. */
export const MAX_CONNECTIONS = 512
/** Inbound connections of callers that are not certified; the rest of MAX_CONNECTIONS stays for members. */
export const MAX_STRANGER_CONNECTIONS = 256
/** Of these, of one address: an IPv4 address or an IPv6 /64, other than loopback. */
export const MAX_STRANGERS_PER_ADDRESS = 32
/** Inbound connections of one node. Two that dial each other at once have two; a lost one may linger while it is replaced. */
export const MAX_CONNECTIONS_PER_NODE = 4
/** Inbound connections that are not secured yet; of one address; open, of one address. Loopback counts in the first only. */
export const MAX_PENDING_CONNECTIONS = 512
export const MAX_PENDING_PER_ADDRESS = 8
export const MAX_CONNECTIONS_PER_ADDRESS = 64
/** New inbound connections of one address; each costs about 16 ms of a core until it is known whose it is. */
export const ADDRESS_CONNECTION_RATE = { perSecond: 5, burst: 32 } as const
/** New inbound connections per second from loopback, which the rate above does not count: a devnet has all its nodes there. */
export const MAX_CONNECTION_RATE = 100

/** Bytes of the HTTP request that asks for a WebSocket; a browser's has about 600. */
export const MAX_WEB_SOCKET_HEADER = 8 * KiB
/** Bytes of one message of a WebSocket, held until it is whole; Noise, yamux and TLS write less than this at once. */
export const MAX_WEB_SOCKET_MESSAGE = MiB
/**
 * Pieces (RFC 6455, section 5.4) of one message that may wait for its end: each holds the whole buffer it was read into,
 * up to 64 KiB, however short it is. Nodes send messages whole; browsers may cut long ones.
 */
export const MAX_WEB_SOCKET_FRAGMENTS = 64
/** Reads of a socket that may wait for one frame to be whole: a frame of MAX_WEB_SOCKET_MESSAGE in segments of 256 bytes. */
export const MAX_WEB_SOCKET_CHUNKS = MAX_WEB_SOCKET_MESSAGE / 256

/**
 * Places at a relay. libp2p's 15 are too few for a network in which most people's nodes are behind NAT: with a third of
 * the members relaying and two places a node, each relay has about four; 128 leave room for thirty times that, and fit
 * beside everything else in MAX_CONNECTIONS. Strangers, whom applicants are among, have half; of one address four.
 */
export const MAX_RESERVATIONS = 128
export const MAX_STRANGER_RESERVATIONS = 64
export const MAX_RESERVATIONS_PER_ADDRESS = 4
/** ms that a place is promised; renewed before, and gone with its connection. */
export const RESERVATION_MS = 3_600_000
/**
 * Bytes, both ways together, and ms of one relayed connection. It is for calls (a map answer of 1 MiB among them) and
 * until a direct one is made, not for bulk: libp2p's 128 KiB would break off in the first map. With RELAY_CONNECT_RATE
 * one address gets 2 MiB/s out of a relay at most.
 */
export const RELAYED_BYTES = 4 * MiB
export const RELAYED_MS = 1_800_000
/** Connections that a relay carries at once: in all, of one caller, of the strangers of one address, to one node. */
export const MAX_RELAYED = 128
export const MAX_RELAYED_PER_CALLER = 8
export const MAX_RELAYED_PER_ADDRESS = 16
export const MAX_RELAYED_PER_TARGET = 32
/** Streams to a relay per connection: those that it carries, and one that asks for a place. */
export const MAX_HOP_STREAMS = MAX_RELAYED_PER_CALLER + 1
/** Relayed connections asked for by one address. */
export const RELAY_CONNECT_RATE = { perSecond: 0.5, burst: 32 } as const
/** Bytes of a request to a relay; one has about 100. */
export const MAX_RELAY_MESSAGE = 4 * KiB
/**
 * ms that two nodes behind NAT knock at each other, the handshake included, which may take seconds on a busy machine; how
 * often they agree on it anew, and ms between two knocks.
 */
export const PUNCH_MS = 10_000
export const PUNCH_TRIES = 3
export const PUNCH_PAUSE_MS = 100
/** ms after which they try again while there is but a relayed connection; the last goes on. */
export const PUNCH_AGAIN_MS = [30_000, 60_000, 300_000] as const
/** Addresses knocked at; the other side names them, and could name somebody else's. */
export const MAX_PUNCH_TARGETS = 2
/** ms that bulk waits for a direct connection where there is a relayed one. */
export const DIRECT_WAIT_MS = 5_000

/** Streams per connection and direction, all protocols. */
export const MAX_STREAMS = 256
/** Bulk streams per connection and direction. */
export const MAX_SHARD_STREAMS = 64
/** Control streams per connection and direction: one, and one more while it is replaced. */
export const MAX_RPC_STREAMS = 2

/**
 * Window of a stream at its start, bytes. yamux says 256 KiB; both sides of this network use 1 MiB, because on loopback
 * a quarter of it costs a tenth of the throughput (docs/specs/rpc.md).
 */
export const STREAM_WINDOW = MiB
/** A window may grow to this where the round trip asks for it, bytes; also the most that a stalled reader holds. */
export const MAX_STREAM_WINDOW = 4 * MiB
/** Bytes that wait to be sealed and sent on one connection before it is reset; more than all honest windows together. */
export const MAX_CONNECTION_BACKLOG = 64 * MiB
/** Bytes per write into a stream; 256 KiB moved a third more per second than 64 KiB. */
export const WRITE_CHUNK = 256 * KiB
/** Bytes that a socket takes before it asks its writer to wait. */
export const SOCKET_BUFFER = 512 * KiB
/** Bytes that a stream holds for its reader before it stops granting window, and at which it goes on. */
export const READ_HIGH_WATER = 256 * KiB
export const READ_LOW_WATER = 64 * KiB

/** Calls in flight per peer and direction. */
export const MAX_CALLS_IN_FLIGHT = 64
/** Calls that wait for one of these places, per peer. */
export const MAX_CALLS_WAITING = 1_024
/** Bytes of answers that may wait for a slow caller before its stream is reset. */
export const MAX_ANSWER_BACKLOG = 8 * MiB
/** ms: default of CallOptions.timeoutMs. */
export const CALL_TIMEOUT_MS = 5_000
/**
 * Calls per second and burst, by whether the caller is certified. A call costs what the registry says of its method, and
 * 1 more per 16 KiB of request. Identities cost nothing, so that those that are not certified share a rate per address
 * beside having one each.
 */
export const MEMBER_CALL_RATE = { perSecond: 10_000, burst: 10_000 } as const
export const STRANGER_CALL_RATE = { perSecond: 2_000, burst: 4_000 } as const
export const ADDRESS_CALL_RATE = { perSecond: 2_000, burst: 4_000 } as const
/** Callers and addresses whose rate is remembered; the longest unseen is forgotten first. */
export const MAX_RATED_CALLERS = 4_096

/**
 * Bytes that a member may send on its streams of topics, old and new together. A message without worth costs the
 * receiver a signature check, about 0.35 ms; with 64 KiB/s one neighbour takes less than a tenth of a core, and a map is a
 * few KiB once an epoch.
 */
export const GOSSIP_RATE = { perSecond: 64 * KiB, burst: 2 * MiB } as const
