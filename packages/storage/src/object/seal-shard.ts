import { createCipheriv } from 'node:crypto'
import { freeNow } from '@weft/core'

/** Bytes through the cipher at a time. Measured: 64 to 256 KiB 1.7-1.9 GB/s, whole shards 0.7 (fresh pages each time). */
const PIECE = 128 * 1024
const ZERO_COUNTER = new Uint8Array(16)

/**
 * XORs a shard with its AES-256-CTR keystream (NIST SP 800-38A) in place: seals it for its node, or opens it again.
 * It hides and binds the shard to its place; it proves nothing: the Merkle root of the sealed bytes does.
 * @param shardKey 32 bytes, of exactly this shard (`deriveShardKey`).
 */
export function sealShard(shard: Uint8Array, shardKey: Uint8Array): void {
  const cipher = createCipheriv('aes-256-ctr', shardKey, ZERO_COUNTER)
  for (let at = 0; at < shard.length; at += PIECE) {
    const piece = cipher.update(shard.subarray(at, at + PIECE))
    shard.set(piece, at)
    freeNow(piece)
  }
}
