/** Figures of this implementation (docs/adr/0045-queues.md); nothing of them is on the wire. */

/** Cells that a node keeps for others at most: 5.8 MB. A circuit may have as many as are still free, so one alone has half. */
export const MAX_WAITING_CELLS = 4_096
/** Times the free room that all circuits of one key towards the client may have together, over however many links: of one key alone four fifths. */
export const PEER_FACTOR = 4
/** Cells that an exit's session has waiting before it is asked to wait itself. */
export const OWN_WAITING_CELLS = 8
/** Cells that go on in a turn of the event loop before others are looked at: 1.5 to 3 ms of work. */
export const TURN_CELLS = 512
/** A batch of fewer shows that the system's buffer was read empty: nothing stands before this node. */
export const SMALL_BATCH = 32

/** CoDel (RFC 8289, section 4.2 and 4.3), ms. */
export const CODEL_TARGET_MS = 5
export const CODEL_INTERVAL_MS = 100

/** Cells of a round: of a circuit that has asked for little lately, and of one that takes what it gets. */
export const INTERACTIVE_QUANTUM = 4
export const BULK_QUANTUM = 1
/** Cells that a circuit may have at the larger quantum after a pause, 92 kB, and how many of them come back in a second. */
export const INTERACTIVE_CELLS = 64

/** An operator's limit: so many ms of it may go at once, and so many cells at least. */
export const BURST_MS = 20
export const MIN_BURST_CELLS = 16
