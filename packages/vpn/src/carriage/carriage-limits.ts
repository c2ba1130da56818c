/** Connections of one flow: a loss stops what runs over one of them, and not the others. */
export const FLOW_CONNECTIONS = 4
/** Of all flows together at a node that listens, those without a preface included. */
export const MAX_CONNECTIONS = 2_048
/** Of one IPv4 address or IPv6 /64; loopback is bounded by the above alone. */
export const PREFIX_CONNECTIONS = 256
/** Of one IPv4 /24 or IPv6 /48, whose owner has many such prefixes. */
export const NETWORK_CONNECTIONS = 768
/** New ones of all in a second: a TLS handshake takes most of a millisecond of the packet thread. */
export const CONNECTION_RATE = 256
/** New ones of such a prefix in a second. */
export const PREFIX_RATE = 32
/** New ones of such a network in a second. */
export const NETWORK_RATE = 96
/** Without a preface yet, at once: beyond that the oldest is closed. */
export const PENDING_CONNECTIONS = 128
/** ms for TCP, TLS and the preface. */
export const HANDSHAKE_MS = 5_000
/** The same by way of somebody else, who has to be called first. */
export const THROUGH_MS = 15_000
/** ms after which a connection is closed to which nothing was sent; what stands sends a ping every 10 s, and an idle link ends after 75 s. */
export const IDLE_MS = 90_000
/** The same of a flow on which nothing was ever sent: who was answered knows how to make a link. */
export const UNUSED_MS = 15_000
/** ms between two looks for what is idle. */
export const LOOK_MS = 1_000
/** Bytes that wait at a connection before another is taken, and before what comes is dropped. */
export const BUSY_BYTES = 64 * 1024
export const FULL_BYTES = 128 * 1024
/** Bytes that wait at all connections together, beyond which only connections where nothing waits take a write. */
export const QUEUED_BYTES = 32 * 1024 * 1024

/** ms before a connection that failed is tried again; doubled each time up to the last. */
export const RETRY_FIRST_MS = 500
export const RETRY_MOST_MS = 30_000
