/**
 * What a hop counts of one circuit, since the circuit is there (docs/specs/packets.md, Counters). It is told to the client and to nobody else. Whole
 * numbers below 2^53.
 */
export interface HopCounts {
  /** Cells from the client's side whose unit opened; the question itself is one of them. */
  readonly opened: number
  /** Of these, cells that the link to the next hop took; at a session's hop those given to the session. */
  readonly passed: number
  /** Cells from the client's side that were dropped for want of room, before they were opened. */
  readonly droppedForward: number
  /** Cells from the next hop, at a session's hop those that its session sealed; without those that wait. */
  readonly came: number
  /** Of these, cells that were dropped for want of room, or not taken by the link towards the client. */
  readonly droppedBackward: number
  /** Units that the link towards the client took, the hop's own control units among them; the answer itself is one. */
  readonly sent: number
}

/** In the order in which they stand in `counted`. */
const FIELDS = ['opened', 'passed', 'droppedForward', 'came', 'droppedBackward', 'sent'] as const
const FIELD_BYTES = 8
const HOP_COUNTS_BYTES = FIELDS.length * FIELD_BYTES

const HIGH = 2 ** 32
/** Counters are below 2^53; nothing honest comes near. */
const HIGH_LIMIT = 2 ** 21

export function writeHopCounts(into: Uint8Array, at: number, counts: HopCounts): void {
  const view = new DataView(into.buffer, into.byteOffset)
  for (const [index, field] of FIELDS.entries()) {
    view.setUint32(at + index * FIELD_BYTES, Math.floor(counts[field] / HIGH))
    view.setUint32(at + index * FIELD_BYTES + 4, counts[field] >>> 0)
  }
}

/** Undefined when the bytes end too early, or a number is 2^53 or more. */
export function readHopCounts(from: Uint8Array, at: number): HopCounts | undefined {
  if (from.length < at + HOP_COUNTS_BYTES) return undefined
  const view = new DataView(from.buffer, from.byteOffset)
  const numbers: number[] = []
  for (let index = 0; index < FIELDS.length; index++) {
    const high = view.getUint32(at + index * FIELD_BYTES)
    if (high >= HIGH_LIMIT) return undefined
    numbers.push(high * HIGH + view.getUint32(at + index * FIELD_BYTES + 4))
  }
  const [opened, passed, droppedForward, came, droppedBackward, sent] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return { opened, passed, droppedForward, came, droppedBackward, sent }
}
