/** Times (ms) and counts of docs/specs/packets.md, after WireGuard's paper, section 6. */

/** The initiator makes new keys when the ones in use are this old or sent this many packets. */
export const REKEY_AFTER_MS = 120_000
export const REKEY_AFTER_PACKETS = 2 ** 28
/** Nothing is sent or taken under keys that are this old or sent this many packets. */
export const REJECT_AFTER_MS = 180_000
export const REJECT_AFTER_PACKETS = 2 ** 29
/** A handshake without an answer is tried again after this time, and so many times. */
export const HANDSHAKE_RETRY_MS = 1_000
export const HANDSHAKE_RETRIES = 5
/** While there are keys to go on with, it is tried again after this time, and until they end: answers may take longer than the above. */
export const RENEWAL_RETRY_MS = 5_000
/** A responder's secret for cookies is used for so long, and an initiator uses a cookie for somewhat less. */
export const COOKIE_SECRET_MS = 120_000
export const COOKIE_LASTS_MS = 115_000
/** A responder asks for cookies until so long after it was last under load. */
export const LOAD_LASTS_MS = 1_000
/** An answer that no packet confirmed by then never will be: the initiator has forgotten what it sent. */
export const UNCONFIRMED_MS = 10_000
/** A link with circuits pings when nothing came for so long, and again each {@link PING_AGAIN_MS}. */
export const PING_AFTER_MS = 10_000
export const PING_AGAIN_MS = 5_000
/** An address that packets come from and that did not answer is asked again after so long. */
export const ASK_AGAIN_MS = 250
/** A link is down when nothing came for so long. */
export const SILENT_AFTER_MS = 25_000
/** A link without circuits ends after so long; at the responder later, so that the initiator never uses one that is gone. */
export const IDLE_INITIATOR_MS = 60_000
export const IDLE_RESPONDER_MS = 75_000
/**
 * A `create` that nothing answered for so long: the other side may have lost its keys, by a restart, and drops all that comes.
 * Shorter than a client's own retry, so that this finds new keys.
 */
export const ANSWER_MS = 400
/** An initiation's time may be off by so much. */
export const MAX_SKEW_MS = 300_000
