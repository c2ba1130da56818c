import { crc32 } from 'node:zlib'
import { utf8 } from '@weft/core'
import type { ShardName } from '../holder/shard-name.ts'
import { CHECKSUM_BLOCK } from './block-checksums.ts'
import { readUint64, writeUint64 } from './sequence.ts'

/** Bytes that begin a header: nobody outside of this disk knows them, so no shard can contain a header that counts. */
export const MARK_LENGTH = 16
/** Mark, size, sequence, length, segment, index, length of the peer, object; the checksum behind all. */
const FIXED = MARK_LENGTH + 4 + 8 + 4 + 4 + 1 + 1 + 32
const CRC = 4

/** What the bytes of a shard say of themselves on the disk, so that the index can be made anew from them. */
export interface BlobHeader {
  readonly name: ShardName
  readonly length: number
  /** Who put it. */
  readonly peer: string
  /** CRC-32 of each 64 KiB, four bytes each. */
  readonly checksums: Uint8Array
  readonly sequence: number
}

/** Makes the header of a shard whose checksums are known, for the place that `mark` is of. */
export type DescribeBlob = (mark: Uint8Array, checksums: Uint8Array) => Uint8Array

export function headerSize(length: number, peer: string): number {
  return FIXED + peer.length + 4 * Math.ceil(length / CHECKSUM_BLOCK) + CRC
}

/** docs/specs/shards.md, "What bytes say of themselves". */
export function encodeBlobHeader(mark: Uint8Array, header: BlobHeader): Uint8Array {
  const { name, length, peer, checksums, sequence } = header
  const bytes = new Uint8Array(headerSize(length, peer))
  const view = new DataView(bytes.buffer)
  bytes.set(mark)
  view.setUint32(16, bytes.length, true)
  writeUint64(view, 20, sequence)
  view.setUint32(28, length, true)
  view.setUint32(32, name.segment, true)
  view.setUint8(36, name.index)
  view.setUint8(37, peer.length)
  bytes.set(name.object, 38)
  bytes.set(utf8(peer), FIXED)
  bytes.set(checksums, FIXED + peer.length)
  view.setUint32(bytes.length - CRC, crc32(bytes.subarray(0, -CRC)), true)
  return bytes
}

/** The header that begins at `at`; undefined when there is none that is whole. */
export function decodeBlobHeader(
  bytes: Uint8Array,
  at: number,
  mark: Uint8Array,
): (BlobHeader & { readonly size: number }) | undefined {
  if (at < 0 || bytes.length - at < FIXED + CRC) return undefined
  if (Buffer.compare(bytes.subarray(at, at + MARK_LENGTH), mark) !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
  const size = view.getUint32(16, true)
  if (size < FIXED + CRC || size > view.byteLength) return undefined
  if (crc32(bytes.subarray(at, at + size - CRC)) !== view.getUint32(size - CRC, true)) return undefined
  const length = view.getUint32(28, true)
  const peerEnd = at + FIXED + view.getUint8(37)
  const peer = Buffer.from(bytes.subarray(at + FIXED, peerEnd)).toString()
  if (size !== headerSize(length, peer)) return undefined
  return {
    name: {
      // A slice of a Buffer would be no copy.
      object: new Uint8Array(bytes.subarray(at + 38, at + FIXED)),
      segment: view.getUint32(32, true),
      index: view.getUint8(36),
    },
    length,
    peer,
    checksums: new Uint8Array(bytes.subarray(peerEnd, at + size - CRC)),
    sequence: readUint64(view, 20),
    size,
  }
}
