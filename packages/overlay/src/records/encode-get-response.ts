import { varintLength, writeVarint } from '@weft/wire'

/** Field 1 of RecordGetResponse, of wire type 2: length and bytes (protobuf.dev, Encoding). */
const RECORD_TAG = 0x0a

/** The encoding of a RecordGetResponse around the encoding of its record. */
export function encodeGetResponse(record: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + varintLength(record.length) + record.length)
  out[0] = RECORD_TAG
  out.set(record, writeVarint(record.length, out, 1))
  return out
}
