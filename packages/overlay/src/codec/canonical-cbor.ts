import { decode, encode } from '@ipld/dag-cbor'
import { equalBytes, messageOf } from '@weft/core'
import type { Refusal } from './strict-values.ts'

/**
 * dag-cbor (IPLD, DAG-CBOR codec specification; docs/specs/encodings.md): the one encoding of everything that is hashed
 * or signed. Bytes of its own: the encoder hands out a Node Buffer over shared memory, whose `slice` does not copy.
 */
export function encodeCanonical(value: unknown): Uint8Array {
  return new Uint8Array(encode(value))
}

/**
 * Decodes dag-cbor of at most `maxBytes` and only in its one canonical form, so that two different byte strings never
 * mean the same thing. @throws refusal
 */
export function decodeCanonical(bytes: Uint8Array, maxBytes: number, refuse: Refusal): unknown {
  if (bytes.length > maxBytes) throw refuse(`it has ${bytes.length} bytes; the limit is ${maxBytes}`)
  let value: unknown
  let canonical: Uint8Array
  try {
    value = decode(bytes)
    canonical = encode(value)
  } catch (error) {
    throw refuse(`it is not dag-cbor: ${messageOf(error)}`)
  }
  if (!equalBytes(bytes, canonical)) throw refuse('it is not in the canonical form of dag-cbor')
  return value
}
