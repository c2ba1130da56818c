import { createHash } from 'node:crypto'
import { concatBytes, utf8 } from '@weft/core'
import { WIDE_BYTES, fromScalar, reduceWide } from './scalar.ts'

// SHA-512 (FIPS 180-4): bytes of its output and of its input block.
const OUTPUT = 64
const BLOCK = 128
const MAX_BLOCKS = 255

/**
 * expand_message_xmd with SHA-512 (RFC 9380, section 5.3.1) over the parts, which are joined: callers give each a fixed
 * length, so that no two lists are one message.
 * @param domain separates the uses; 16 to 255 ASCII characters (section 3.1)
 */
export function expandMessage(domain: string, parts: readonly Uint8Array[], length: number): Uint8Array {
  const blocks = Math.ceil(length / OUTPUT)
  if (blocks < 1 || blocks > MAX_BLOCKS) throw new RangeError(`expandMessage: ${length} bytes cannot be had`)
  const name = utf8(domain)
  if (name.length < 16 || name.length > 255) throw new RangeError(`expandMessage: a domain of ${name.length} bytes`)
  const suffix = Uint8Array.of(...name, name.length)
  const first = sha512([new Uint8Array(BLOCK), ...parts, Uint8Array.of(length >> 8, length & 255, 0), suffix])
  const out: Uint8Array[] = []
  let last: Uint8Array = new Uint8Array(OUTPUT)
  for (let block = 1; block <= blocks; block++) {
    const mixed = first.map((byte, at) => byte ^ (last[at] as number))
    last = sha512([mixed, Uint8Array.of(block), suffix])
    out.push(last)
  }
  return concatBytes(out).subarray(0, length)
}

/** One public scalar: 64 expanded bytes, little-endian, modulo the order (as HashToScalar of RFC 9497, section 4.1). */
export function hashToScalar(domain: string, parts: readonly Uint8Array[]): Uint8Array {
  return reduceWide(expandMessage(domain, parts, WIDE_BYTES))
}

/** Several public scalars of one message: 64 expanded bytes for each, in order. */
export function hashToScalars(domain: string, parts: readonly Uint8Array[], count: number): readonly bigint[] {
  if (count === 0) return []
  const wide = expandMessage(domain, parts, count * WIDE_BYTES)
  return Array.from({ length: count }, (_, at) =>
    fromScalar(reduceWide(wide.subarray(at * WIDE_BYTES, (at + 1) * WIDE_BYTES))),
  )
}

function sha512(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
