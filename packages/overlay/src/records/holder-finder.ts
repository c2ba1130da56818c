import type { Member } from '../member.ts'
import { recordQuorum } from './quorum.ts'
import type { RecordPlan } from './record-placement.ts'
import type { RecordKey } from './record-store.ts'

/** Holders of a key by a map that this node does not hold. */
export interface FoundHolders {
  /** Nearest first. */
  readonly members: readonly Member[]
  /** Members that the map has and that hold records. */
  readonly count: number
}

/** Asks other nodes who holds a record. */
export interface HolderFinder {
  /** The own map is missing or old: holders are better asked for than computed. */
  isNeeded(): boolean
  /** Undefined when nobody said anything that the own map does not. @throws WeftError E_ABORTED */
  find(key: RecordKey, timeoutMs: number, signal: AbortSignal): Promise<FoundHolders | undefined>
}

/** Whom to ask when holders were found: those of one map, and the quorum of its size. */
export function foundPlan({ members, count }: FoundHolders): RecordPlan {
  const holders = members.map(({ id }) => id)
  const { required, faults } = recordQuorum(count)
  return { holders, readers: holders, groups: [{ ids: new Set(holders), required, faults }] }
}
