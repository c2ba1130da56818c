/** Holders of a record in a network that is large enough. */
export const RECORD_HOLDERS = 20

export interface RecordQuorum {
  /** N: members that hold a record. */
  readonly holders: number
  /** f: of these, how many may be gone or lie. */
  readonly faults: number
  /** W = R = N - f. Any two quorums share N - 2f >= f + 1 holders, so at least one honest one. */
  readonly required: number
}

/** The quorum of a network of `members` members (docs/specs/records.md, Holders). */
export function recordQuorum(members: number): RecordQuorum {
  const holders = Math.min(RECORD_HOLDERS, members)
  const faults = Math.max(0, Math.floor((holders - 1) / 3))
  return { holders, faults, required: holders - faults }
}
