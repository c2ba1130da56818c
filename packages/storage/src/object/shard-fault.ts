import { type Fault, isWeftError, messageOf } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ShardState } from '../storage.ts'

/** Why one shard did not help a read. */
export interface ShardFault {
  readonly index: number
  readonly node: DidKey
  readonly state: Exclude<ShardState, 'stored'>
  readonly code: Fault['code']
  readonly cause: Fault['cause']
}

const MISSING = new Set(['E_SHARD_NOT_FOUND'])
const CORRUPT = new Set(['E_SHARD_CORRUPT', 'E_SHARD_LENGTH'])

/** What an error of a holder, or of the way to it, says about the shard. */
export function shardFault(index: number, node: DidKey, error: unknown): ShardFault {
  const code = isWeftError(error) ? error.code : 'E_INTERNAL'
  const state = MISSING.has(code) ? 'missing' : CORRUPT.has(code) ? 'corrupt' : 'unreachable'
  return { index, node, state, code, cause: messageOf(error) }
}
