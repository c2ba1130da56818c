/** Connections to a bridge at once, those of strangers included. */
export const MAX_CONNECTIONS = 1_024
/** Of one IPv4 address or IPv6 /64. */
export const PREFIX_CONNECTIONS = 256
/** Without a pass yet, at once: beyond that the oldest of the address that has most is closed. */
export const MAX_STRANGERS = 256
/** New ones in a second: a TLS handshake takes a millisecond or two. */
export const CONNECTION_RATE = 256
/** New ones of one address in a second; a client calls some 70 at once when it starts in a network where everybody is connected to everybody. */
export const PREFIX_RATE = 128
/** The same, once half of CONNECTION_RATE came in a second. */
export const PREFIX_SCARCE_RATE = 8
/** Streams of one invitation at once. */
export const INVITATION_STREAMS = 192
/** Of these, to one endpoint: a client has one or two for its overlay, and four for packets. Members count a bridge as one caller, whose places all its clients share. */
export const TARGET_STREAMS = 8
/** ms from its begin for which a stream has its place to an endpoint, also when it ended: members take a few new ones in a second from all clients of a bridge. */
export const TARGET_PLACE_MS = 8_000
/** Invitations that are not revoked. */
export const MAX_INVITATIONS = 256
/** ms for TCP to a member. */
export const MEMBER_DIAL_MS = 10_000
/** ms without a byte either way, after which a stream is closed; overlay and packets send more often while they are in use. */
export const IDLE_MS = 180_000
/** Bytes of the head of an answer; a web server that stands there instead may say more than a bridge does. */
export const MAX_ANSWER_HEAD = 16 * 1_024

/** ms for a client to get a stream: TCP and TLS with the bridge, and its call to the member. */
export const OPEN_MS = 12_000
/** ms before a bridge is tried again that failed; doubled each time up to the last. */
export const RETRY_FIRST_MS = 500
export const RETRY_MOST_MS = 60_000
/** Bridges that a client knows. */
export const MAX_BRIDGES = 8
