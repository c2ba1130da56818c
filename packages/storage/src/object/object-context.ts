import type { Clock, Logger, Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Member, type Overlay, type Streams, isAway } from '@weft/overlay'
import type { BufferPool } from './buffer-pool.ts'
import type { CodingPool } from './coding-pool.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { ObjectRecords } from './object-records.ts'

/** What every operation on objects works with; made once by `createStorage`. */
export interface ObjectContext {
  /** Of it a transfer takes the map and who is up; what it asks of others goes by `streams` and `records`. */
  readonly overlay: Overlay
  /** As whom the holders know this node. */
  readonly self: DidKey
  /** The overlay's streams, and those of this node to itself; of a private transfer its own. */
  readonly streams: Pick<Streams, 'open'>
  readonly records: ObjectRecords
  /** ms that a holder has to take a stream. */
  readonly openMs: number
  readonly isPrivate: boolean
  readonly coding: CodingPool
  readonly memory: MemoryBudget
  /** Buffers that hold plaintext; none of them is ever sent. */
  readonly plaintexts: BufferPool
  /** Buffers of shards; none of them ever holds plaintext. */
  readonly shards: BufferPool
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Fires when the storage closes. */
  readonly signal: AbortSignal
}

/** Members of the signed map that hold shards. */
export function storageMembers({ overlay }: Pick<ObjectContext, 'overlay'>): Member[] {
  return overlay.membership.members().filter((member) => member.roles.includes('storage'))
}

/** False for a node that the overlay does not get through to, or that several observers hold to be down. */
export function isReachable({ overlay }: Pick<ObjectContext, 'overlay'>, member: Pick<Member, 'id'>): boolean {
  if (member.id === overlay.self) return true
  return !overlay.suspects().has(member.id) && !isAway(overlay.peer(member.id))
}
