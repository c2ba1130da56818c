import { toHex } from '@weft/core'

/** One shard of one segment of one object. */
export interface ShardName {
  /** 32 bytes: the object's public key. */
  readonly object: Uint8Array
  /** From 0; 32 bits. */
  readonly segment: number
  /** From 0; below the n of the object's class. */
  readonly index: number
}

/** A name as logs and errors show it: the object's first eight hex digits, segment and index. */
export function describeShard(name: ShardName): string {
  return `shard ${name.index} of segment ${name.segment} of object ${toHex(name.object.subarray(0, 4))}…`
}
