import { crc32 } from 'node:zlib'
import { utf8 } from '@weft/core'
import type { Deletion } from '../holder/deletion-statement.ts'
import { MARK_LENGTH } from './blob-header.ts'
import { readUint64, writeUint64 } from './sequence.ts'

/** What became of an object at this holder, beside its shards. */
export type BlobNote = { readonly object: Uint8Array } & (
  | { readonly kind: 'commit'; readonly peer: string; readonly expiresAt: number }
  | { readonly kind: 'drop'; readonly peer: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'removed'; readonly account: string; readonly deletion: Deletion }
)

const KINDS = ['commit', 'drop', 'gone', 'removed'] as const
/** Mark, kind, length of the peer, sequence, four numbers, object. */
const FIXED = MARK_LENGTH + 1 + 1 + 8 + 4 * 8 + 32
const CRC = 4
/** The longest note, bytes. */
export const MAX_NOTE = FIXED + 255 + CRC

/** docs/specs/shards.md, "What bytes say of themselves". */
export function encodeBlobNote(mark: Uint8Array, sequence: number, note: BlobNote): Uint8Array {
  const peer = utf8(peerOf(note))
  const bytes = new Uint8Array(FIXED + peer.length + CRC)
  const view = new DataView(bytes.buffer)
  bytes.set(mark)
  view.setUint8(16, KINDS.indexOf(note.kind))
  view.setUint8(17, peer.length)
  writeUint64(view, 18, sequence)
  for (const [at, value] of numbersOf(note).entries()) writeUint64(view, 26 + 8 * at, value)
  bytes.set(note.object, 58)
  bytes.set(peer, FIXED)
  view.setUint32(bytes.length - CRC, crc32(bytes.subarray(0, -CRC)), true)
  return bytes
}

/** The note that begins at `at`; undefined when there is none that is whole. */
export function decodeBlobNote(
  bytes: Uint8Array,
  at: number,
  mark: Uint8Array,
): { readonly note: BlobNote; readonly sequence: number; readonly size: number } | undefined {
  if (bytes.length - at < FIXED + CRC) return undefined
  if (Buffer.compare(bytes.subarray(at, at + MARK_LENGTH), mark) !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
  const size = FIXED + view.getUint8(17) + CRC
  if (size > view.byteLength) return undefined
  if (crc32(bytes.subarray(at, at + size - CRC)) !== view.getUint32(size - CRC, true)) return undefined
  const peer = Buffer.from(bytes.subarray(at + FIXED, at + size - CRC)).toString()
  // A slice of a Buffer would be no copy.
  const object = new Uint8Array(bytes.subarray(at + 58, at + FIXED))
  const [first, second, third, fourth] = [0, 1, 2, 3].map((each) => readUint64(view, 26 + 8 * each)) as [
    number,
    number,
    number,
    number,
  ]
  const sequence = readUint64(view, 18)
  const told = (note: BlobNote): { note: BlobNote; sequence: number; size: number } => ({ note, sequence, size })
  const kind = KINDS[view.getUint8(16)]
  if (kind === undefined) return undefined
  switch (kind) {
    case 'commit':
      return told({ kind: 'commit', object, peer, expiresAt: first })
    case 'drop':
      return told({ kind: 'drop', object, peer })
    case 'gone':
      return told({ kind: 'gone', object })
    case 'removed':
      return told({
        kind: 'removed',
        object,
        account: peer,
        deletion: { shards: first, bytes: second, at: third, until: fourth },
      })
  }
}

function peerOf(note: BlobNote): string {
  if (note.kind === 'removed') return note.account
  return note.kind === 'gone' ? '' : note.peer
}

function numbersOf(note: BlobNote): readonly number[] {
  if (note.kind === 'commit') return [note.expiresAt]
  if (note.kind !== 'removed') return []
  const { shards, bytes, at, until } = note.deletion
  return [shards, bytes, at, until]
}
