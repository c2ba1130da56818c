import { equalBytes } from '@weft/core'
import { type ShardPlace, deriveShardKey } from './object-keys.ts'
import { sealShard } from './seal-shard.ts'
import { shardRoot } from './shard-root.ts'

/**
 * Opens what a holder sent in place and checks it against the root that the owner signed. False for anything but the
 * very bytes: corrupted ones, those of another object, segment or index, or those of an older version.
 */
export function verifyShard(shard: Uint8Array, place: ShardPlace, sealKey: Uint8Array, root: Uint8Array): boolean {
  sealShard(shard, deriveShardKey(sealKey, place))
  return equalBytes(shardRoot(shard), root)
}
