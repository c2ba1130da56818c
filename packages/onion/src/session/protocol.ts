/** The numbers of docs/specs/session.md. What may be tuned without breaking the format lies in tuning.ts. */

/** Frame types (docs/specs/session.md, Frames). STREAM takes 0x08 to 0x0f. */
export const FRAME_PADDING = 0x00
export const FRAME_PING = 0x01
export const FRAME_ACK = 0x02
export const FRAME_RESET_STREAM = 0x04
export const FRAME_STOP_SENDING = 0x05
export const FRAME_STREAM = 0x08
export const FRAME_MAX_DATA = 0x10
export const FRAME_MAX_STREAM_DATA = 0x11
export const FRAME_MAX_STREAMS = 0x12
export const FRAME_CLOSE = 0x1c
export const FRAME_NAME = 0x20
export const FRAME_JOIN = 0x21
export const FRAME_LEG = 0x22
export const FRAME_OPEN = 0x30
export const FRAME_OPENED = 0x31
export const FRAME_REFUSED = 0x32
export const FRAME_UNREACHED = 0x33
/** DATAGRAM takes 0x38 to 0x3f. */
export const FRAME_DATAGRAM = 0x38

/** Bits of a STREAM frame's type (RFC 9000, section 19.8). */
export const STREAM_FIN = 0x01
export const STREAM_LENGTH = 0x02
export const STREAM_OFFSET = 0x04

/** Bits of a DATAGRAM frame's type. */
export const DATAGRAM_LENGTH = 0x01
export const DATAGRAM_NAMED = 0x02
export const DATAGRAM_PART = 0x04

/** Bytes of what names a session to its exit, so that other circuits may join it. */
export const SESSION_NAME_BYTES = 32
/** What JOIN and LEG say of a leg. */
export const LegStatus = { gone: 0, used: 1, reserve: 2 } as const
/** Circuits that a session runs over at once. */
export const MAX_LEGS = 8

/** Codes of REFUSED, RESET_STREAM, STOP_SENDING and CLOSE. */
export const SessionCode = {
  none: 0,
  internal: 1,
  violation: 2,
  policy: 3,
  nameNotFound: 4,
  networkUnreachable: 5,
  hostUnreachable: 6,
  connectionRefused: 7,
  timedOut: 8,
  connectionReset: 9,
  limit: 10,
  stopping: 11,
  nameServerFailed: 12,
  notOffered: 13,
} as const

export const PROTOCOL_TCP = 1
export const PROTOCOL_UDP = 2
export const PROTOCOL_DNS = 3
export const PROTOCOL_IP = 4
export const PROTOCOL_SERVICE = 5
export const PROTOCOL_MEASURE = 6
/** Ids of streams are 0, 4, 8, …: opened by the client, in both directions (RFC 9000, section 2.1). */
export const STREAM_ID_STEP = 4
export const MAX_ACK_RANGES = 64
export const MAX_REASON_BYTES = 200
export const MAX_HOST_BYTES = 255
/** Bytes of a service's name, and of the key of the member whose it is. */
export const MAX_SERVICE_BYTES = 32
export const MEMBER_KEY_BYTES = 32
/** Bytes of the longest datagram: what UDP over IPv4 carries (RFC 768, RFC 791). */
export const MAX_DATAGRAM_BYTES = 65_507
/** Bytes of the longest IP packet of a channel: the least MTU that every link has (RFC 8200, section 5). With its frame it fits one packet. */
export const MAX_IP_PACKET_BYTES = 1_280
/** DATAGRAM frames in one packet at most: an exit sends a packet for each, and nobody is to make it send many for one. */
export const MAX_DATAGRAMS_PER_PACKET = 32
/** Targets of a channel that have a number at once: a new number takes the place of the one so many before it. */
export const CHANNEL_TARGETS = 256

/** Flow control (RFC 9000, section 4): limits that both sides assume before any frame came, bytes. */
export const INITIAL_STREAM_WINDOW = 256 * 1024
export const INITIAL_SESSION_WINDOW = 1024 * 1024
export const MAX_STREAM_WINDOW = 8 * 1024 * 1024
export const MAX_SESSION_WINDOW = 16 * 1024 * 1024
/** Streams that a client may open before any MAX_STREAMS came; also how many may live at once. */
export const INITIAL_STREAMS = 256

/** Acknowledgement: packets that may wait for one ACK, at first and later. */
export const ACK_EVERY_AT_FIRST = 2
export const ACK_AT_FIRST_PACKETS = 100
export const ACK_EVERY = 16
/** Ms that a packet waits for its ACK. */
export const ACK_DELAY_MS = 5
/** Of packets that come slowly, when so many came before: half a round trip, at most these ms. Slowly: with so many ms between them. */
export const SLOW_ACK_AFTER_PACKETS = 200
export const SLOW_ACK_DELAY_MS = 100
export const SLOW_GAP_MS = 3
/** A pause counts as so many ms between two packets. */
export const PAUSE_MS = 50

/** Ms without any packet after which a session ends. */
export const IDLE_TIMEOUT_MS = 120_000
