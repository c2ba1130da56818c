/** Figures of this implementation; the other side need not know them. */

/** Records of sent packets that are kept at most: above the largest window (16 MiB of 1329 bytes), within a hop's replay window. */
export const MAX_SENT_PACKETS = 32_768
/**
 * Packets that ask for no ACK, for each of which a record is kept while one before them is not acknowledged: beyond so many, and two for each
 * in flight, no more are sent. In a round trip that is ACKs for 7,000 packets.
 */
export const MAX_UNASKED_PACKETS = 448
/** Frames in one packet at most, so that a record of a sent packet stays small. */
export const MAX_FRAMES_PER_PACKET = 32
/** After so many packets, or up to twice as many, a packet number is left out (RFC 9000, section 21.4). */
export const MIN_NUMBER_GAP = 500
/** Congestion window, packets: at first (RFC 9002, section 7.2), at least (BBR), at most. */
export const INITIAL_CWND = 10
export const MIN_CWND = 4
export const MAX_CWND = 16_384
/** Loss detection (RFC 9002, section 6): packets, and the bound of the adapted threshold. */
export const PACKET_THRESHOLD = 3
export const MAX_PACKET_THRESHOLD = 128
/** Factor of the round trip after which a packet counts as lost; raised by TIME_THRESHOLD_STEP when that was wrong. */
export const TIME_THRESHOLD = 9 / 8
export const TIME_THRESHOLD_STEP = 1 / 8
export const MAX_TIME_THRESHOLD = 2
/** Timers below this many ms are not asked for. */
export const GRANULARITY_MS = 1
/** RTT assumed before the first sample, ms (RFC 9002, section 6.2.2). */
export const INITIAL_RTT_MS = 333
/** A client asks for a sign of life after so many ms of silence, so that an idle session does not end. */
export const KEEP_ALIVE_MS = 30_000
/**
 * A leg is silent, and what is in flight on it goes over another one, when the oldest packet has waited for so many probe timeouts without
 * any word of the other side: so long at least, ms, as a busy machine holds a process up.
 */
export const SILENT_PROBE_TIMEOUTS = 1.5
export const MIN_SILENCE_MS = 120
/**
 * Ms after which an exit gives a leg up whose client is heard and acknowledges nothing of what it was asked for, and on a slow path so many probe
 * timeouts; and how often it is asked again in that time.
 */
export const ACK_PATIENCE_MS = 60_000
export const ACK_PATIENCE_TIMEOUTS = 8
export const ASK_AGAIN_MS = 5_000
/** Ms that a packet of an exit is in flight at most: as long as a session outlives silence, and half as long again for one that is back. */
export const OLDEST_IN_FLIGHT_MS = 180_000
/** Legs of which a client still has to tell its exit: beyond that the oldest that is gone is told no more. */
export const MAX_LEG_NEWS = 32
/** Ms that a session waits for a leg when it has none. */
export const ORPHAN_MS = 15_000
/** Pieces of a stream that are kept out of order at most; beyond that a packet is dropped as if it had been lost. */
export const MAX_REASSEMBLY_RANGES = 1_024
/** The largest piece that an owner hands to write() at once without knowing the room; what Node reads from a socket. */
export const WRITE_CHUNK = 64 * 1024
/** Bytes that a stream takes from its owner beyond what may travel, at least and at most. */
export const MIN_SEND_MARK = 128 * 1024
export const MAX_SEND_MARK = 8 * 1024 * 1024
/** Bytes of the smallest ring that keeps a stream's bytes; larger ones are this times a power of two. */
export const MIN_CAPACITY = 4_096
/** Bytes of datagrams that one channel keeps until they are sent, and that one counts beside its own. */
export const MAX_QUEUED_DATAGRAM_BYTES = 256 * 1024
export const DATAGRAM_OVERHEAD = 128
/** IP packets that one channel keeps until they are sent, and all channels of a client together: 1,280 bytes each. */
export const MAX_QUEUED_IP_PACKETS = 256
export const CLIENT_IP_PACKETS = 512
/** Ms after which a datagram that could not be sent is worth nothing any more. */
export const MAX_DATAGRAM_AGE_MS = 1_000
/** Bytes of a datagram that a part has at least, if it is not the last. */
export const MIN_PART_BYTES = 64
/** Datagrams of a session that may be incomplete at once, ms for which one may, and pieces of one that do not touch. */
export const MAX_PARTIAL_DATAGRAMS = 16
export const PARTIAL_DATAGRAM_MS = 5_000
export const MAX_DATAGRAM_PIECES = 64
/** Bytes of an exit's memory that a named target counts: its name and what the exit notes of it. */
export const TARGET_OVERHEAD = 512
/** Streams of a client that may wait for the exit to allow them. */
export const MAX_WAITING_STREAMS = 4_096
/** Memory of each session whose owner gives it no budget, bytes. */
export const DEFAULT_MEMORY = 256 * 1024 * 1024
