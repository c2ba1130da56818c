/**
 * Of the protocol (docs/specs/liveness.md). Times in ms.
 */

/** Envelopes of other nodes that one message may carry. */
export const MAX_STATEMENTS = 8
/** Random bytes in a question for a proof of life. */
export const NONCE_LENGTH = 16
/** How far the time in a suspicion may lie from the receiver's clock. */
export const SUSPICION_LIFE_MS = 30_000
/**
 * How far an incarnation may lie ahead of the receiver's clock: to which a node rises that refutes, in a sign of life, and
 * in a suspicion. Each has more room than the one before: what a node says of itself can be believed, and suspected.
 */
export const REFUTE_AHEAD_MS = 30_000
export const ALIVE_AHEAD_MS = 60_000
export const SUSPICION_AHEAD_MS = 90_000

/**
 * Tuning, may differ between nodes.
 */

/** In which each neighbour is asked once: where they are few, where they are not the others' neighbours, and by a node that is no member. */
export const CYCLE_MS = 2_000
export const SPARSE_CYCLE_MS = 4_000
export const ALONE_CYCLE_MS = 3_000
/** Between two probes at least, where gossip reaches everybody: the others' probes tell the rest. */
export const PROBE_INTERVAL_MS = 500
/** Without an answer for so long, helpers are asked. Times local health + 1, like the next. */
export const PROBE_TIMEOUT_MS = 1_000
/** For helpers to say what they see. A helper itself looks for LOOK_MS. */
export const ASK_TIMEOUT_MS = 2_000
export const LOOK_MS = 1_000
/** So long a helper that found a node silent says so to whoever asks, without another look; of so many nodes. */
export const LOOK_AGAIN_MS = 1_000
export const MAX_SILENCES = 256
/** Helpers asked at a time, and the pause before further ones are. */
export const HELPERS = 3
export const ASK_PAUSE_MS = 500
/** Helpers are first asked at a random time of so long, for each neighbour and at most: all see a connection close at once. */
export const ASK_SPREAD_EACH_MS = 15
export const ASK_SPREAD_MS = 1_000
/** The pause while the others get answers and only this node does not. */
export const ASK_PAUSE_ALONE_MS = 5_000
/** How long a neighbour is silent before it counts as down: with no other observer, and with MANY_OBSERVERS or more of them. */
export const SUSPICION_MAX_MS = 6_500
export const SUSPICION_MIN_MS = 4_000
/** Other observers after whom further ones change nothing. */
export const MANY_OBSERVERS = 8
/** Other observers, each of another family and network, that a verdict needs at most. */
export const MAX_NEEDED = 3
/** Silence towards this node alone: nobody else was heard to get an answer, or others do. */
export const ALONE_SILENCE_MS = 9_000
export const LINK_SILENCE_MS = 15_000
/** Statements about one neighbour that are kept. */
export const MAX_EVIDENCE = 16
/** A neighbour that answered so lately is not doubted because of what others say. */
export const FRESH_ANSWER_MS = 1_000
/** A statement of one's own is made anew after this, while the silence lasts. */
export const RENEW_MS = 10_000
/** Gossip: messages at a time, between two times, and how often one statement is sent, times log2 of those whom it is of use to. */
export const FANOUT = 3
export const GOSSIP_INTERVAL_MS = 200
export const GOSSIP_ROUNDS = 1
/** Statements that wait to be passed on. */
export const MAX_QUEUE = 256
/** Between two probes that others' suspicions cause, and between two refutations. */
export const PROMPT_INTERVAL_MS = 50
export const REFUTE_INTERVAL_MS = 500
/** How often time is looked at while somebody is silent. */
export const TICK_MS = 100
/** A tick so late means that this node itself stood still. */
export const STALL_MS = 300
/** Local health at most (Lifeguard, section IV-A): 0 is well; waits are multiplied by it + 1. */
export const MAX_HEALTH = 8
/** Statements that are verified: of one sender, and of one observer, so that neither can keep this node busy. */
export const SENDER_RATE = { perSecond: 32, burst: 256 } as const
export const OBSERVER_RATE = { perSecond: 1, burst: 64 } as const
/** Proofs of life that this node signs, and looks that it takes for one other. */
export const PROOF_RATE = { perSecond: 50, burst: 200 } as const
export const LOOK_RATE = { perSecond: 16, burst: 128 } as const
