import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { messageOf } from '@weft/core'
import { KiB, type MessageInitShape, type MessageShape, create, decodeMessage, encodeMessage } from '@weft/wire'
import { refuseEntries } from './map-entry.ts'

type Schema = Parameters<typeof decodeMessage>[0]

/** Bytes of a message before it is packed. Packed it is never longer by more than 1/256 and a few bytes (RFC 8878). */
export const MAX_UNPACKED = 1_000 * KiB
/** Of zstd: level 3 takes twice the time and makes the entries of a map only 2 % shorter. */
const LEVEL = 1
/** log2 of the bytes that a frame may look back: what a reader needs memory for. */
const WINDOW_LOG = 20

/** A message in one zstd frame (RFC 8878). */
export function packMessage<Desc extends Schema>(schema: Desc, message: MessageInitShape<Desc>): Uint8Array {
  return new Uint8Array(
    zstdCompressSync(encodeMessage(schema, create(schema, message)), {
      params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_windowLog]: WINDOW_LOG },
    }),
  )
}

/**
 * Unpacks a message from anywhere: what would become longer than `maxBytes` is refused before it has.
 * @param minItemBytes bytes that the shortest list item takes, with its tag and length: items are counted before one is made
 * @throws WeftError E_MAP_ENTRIES
 */
export function unpackMessage<Desc extends Schema>(
  schema: Desc,
  packed: Uint8Array,
  maxBytes = MAX_UNPACKED,
  minItemBytes = 2,
): MessageShape<Desc> {
  try {
    const { buffer, byteOffset, length } = zstdDecompressSync(packed, {
      maxOutputLength: maxBytes,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
    })
    const maxItems = Math.floor(length / minItemBytes)
    return decodeMessage(schema, new Uint8Array(buffer, byteOffset, length), maxBytes, maxItems)
  } catch (error) {
    throw refuseEntries(`${packed.length} bytes cannot be unpacked: ${messageOf(error)}`, error)
  }
}
