import type { ShardName } from '../holder/shard-name.ts'

export const ENTRY_BYTES = 56

/** One shard in a manifest. */
export interface ManifestEntry {
  readonly name: ShardName
  readonly length: number
  /** Leaves of the shards before it. */
  readonly start: number
}

/** object || u32 segment || u32 index || u64 length || u64 start: what a leaf of the manifest's tree is hashed from. */
export function encodeEntry({ name, length, start }: ManifestEntry, into = new Uint8Array(ENTRY_BYTES)): Uint8Array {
  into.set(name.object)
  const view = new DataView(into.buffer, into.byteOffset, ENTRY_BYTES)
  view.setUint32(32, name.segment)
  view.setUint32(36, name.index)
  view.setBigUint64(40, BigInt(length))
  view.setBigUint64(48, BigInt(start))
  return into
}

export function decodeEntry(bytes: Uint8Array): ManifestEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_BYTES)
  return {
    name: { object: bytes.slice(0, 32), segment: view.getUint32(32), index: view.getUint32(36) },
    length: Number(view.getBigUint64(40)),
    start: Number(view.getBigUint64(48)),
  }
}
