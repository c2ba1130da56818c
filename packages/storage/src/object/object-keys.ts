import { concatBytes, utf8 } from '@weft/core'
import { hkdf } from '@weft/crypto'

/** What the data key of an object gives (docs/specs/objects.md, Keys). All are bound to the object's public key. */
export interface ObjectKeys {
  /** AES-256 key of the frames, 32 bytes. */
  readonly frameKey: Uint8Array
  /** First bytes of every nonce, 7 bytes. */
  readonly noncePrefix: Uint8Array
  /** Seals shards for their nodes, 32 bytes; says nothing about the frame key. */
  readonly sealKey: Uint8Array
}

/** Which shard lies at which node; every field goes into its keystream. */
export interface ShardPlace {
  /** 32 bytes: the object's public key. */
  readonly object: Uint8Array
  readonly segment: number
  readonly index: number
  /** 32 bytes: the holder's public key. */
  readonly node: Uint8Array
}

const NO_SALT = new Uint8Array(0)

/** @param dataKey 32 bytes. @param object 32 bytes: the object's public key. */
export function deriveObjectKeys(dataKey: Uint8Array, object: Uint8Array): ObjectKeys {
  const frames = hkdf(dataKey, object, 'weft:object:frames:v1', 39)
  return {
    frameKey: frames.slice(0, 32),
    noncePrefix: frames.slice(32),
    sealKey: hkdf(dataKey, object, 'weft:object:seal:v1', 32),
  }
}

/** The AES-256 key of one shard's keystream; no two shards of an object share one, so the counter starts at zero. */
export function deriveShardKey(sealKey: Uint8Array, { object, segment, index, node }: ShardPlace): Uint8Array {
  const numbers = new Uint8Array(8)
  const view = new DataView(numbers.buffer)
  view.setUint32(0, segment)
  view.setUint32(4, index)
  return hkdf(sealKey, NO_SALT, concatBytes([utf8('weft:object:shard:v1\0'), node, object, numbers]), 32)
}
