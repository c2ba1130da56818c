import { equalBytes } from '@weft/core'
import { type ShardPlace, deriveShardKey } from './object-keys.ts'
import { sealShard } from './seal-shard.ts'
import { shardRoot } from './shard-root.ts'

/**
 * Checks what a holder sent against the root that the owner signed for it, and opens it in place. False for anything but
 * the very bytes, which then stay as they came: corrupted ones, those of another holder, object, segment or index, or
 * those of an older version.
 */
export function verifyShard(shard: Uint8Array, place: ShardPlace, sealKey: Uint8Array, root: Uint8Array): boolean {
  if (!equalBytes(shardRoot(shard), root)) return false
  sealShard(shard, deriveShardKey(sealKey, place))
  return true
}
