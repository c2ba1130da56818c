import type { FileHandle } from 'node:fs/promises'
import { corrupt, diskError } from './blob-error.ts'
import type { BlobEntry } from './blob-index.ts'
import { CHECKSUM_BLOCK, checksumsFit } from './block-checksums.ts'

/** Bytes read from the disk at a time; a multiple of the checksum's block. */
const READ_PIECE = 4 * CHECKSUM_BLOCK

/**
 * The bytes of a shard in order, each piece checked before it is handed out, one piece read ahead.
 * @throws WeftError E_SHARD_CORRUPT, also when the file is too short; E_DISK
 */
export async function* readBlob(entry: BlobEntry, file: FileHandle, offset: number): AsyncGenerator<Uint8Array> {
  let at = 0
  let next = readPiece(entry, file, offset, at)
  while (at < entry.length) {
    const piece = await next
    at += piece.length
    if (at < entry.length) {
      next = readPiece(entry, file, offset, at)
      // The consumer may stop before it asks for this one.
      next.catch(() => {})
    }
    yield piece
  }
}

async function readPiece(entry: BlobEntry, file: FileHandle, offset: number, at: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_PIECE, entry.length - at))
  let filled = 0
  try {
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + at + filled)
      if (bytesRead === 0) throw corrupt(entry.name)
      filled += bytesRead
    }
  } catch (error) {
    // The kernel reports a bad sector so; to the reader it is the same as a wrong byte.
    if ((error as NodeJS.ErrnoException).code === 'EIO') throw corrupt(entry.name)
    throw diskError(error, 'reading a shard')
  }
  if (!checksumsFit(buffer, at / CHECKSUM_BLOCK, entry.checksums)) throw corrupt(entry.name)
  return buffer
}
