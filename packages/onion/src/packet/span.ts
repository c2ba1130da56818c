import { NONCE_BYTES, TAG_BYTES } from '../sodium.ts'
import { HEADER_SIZE, MAX_HOPS, PACKET_SIZE, unitLength } from './sizes.ts'

/**
 * Bytes of a slot that an AEAD seals, and where they go: offsets, which the code that calls OpenSSL adds to an address, and of which a slot
 * keeps views for libsodium. The spans of this file are all that there are; each is within a packet.
 */
export interface Span {
  /** From 0 on, for what is kept of each. */
  readonly id: number
  /** Where the plaintext begins. */
  readonly plain: number
  /** Where ciphertext and tag begin. Another place than `plain` is of another slot. */
  readonly sealed: number
  /** Bytes of plaintext; 16 more are sealed. */
  readonly length: number
  /** Bytes at the end of the slot that are associated data. */
  readonly tail: number
}

/** Bytes at the end of a cell that its link authenticates. */
const CELL_TAIL = 100
/** Bytes of a layer unit that stand before what is sealed: its counter. */
export const UNIT_COUNTER = 8

let made = 0

function span(plain: number, sealed: number, length: number, tail = 0): Span {
  const end = Math.max(plain, sealed) + length + TAG_BYTES
  if (end > PACKET_SIZE || length <= 0) throw new RangeError(`a span from ${plain} to ${end} is not within a packet`)
  return { id: made++, plain, sealed, length, tail }
}

function ofDepths(make: (depth: number) => Span): (depth: number) => Span {
  const spans = Array.from({ length: MAX_HOPS }, (_, depth) => make(depth))
  return (depth) => {
    const found = spans[depth]
    if (found === undefined) throw new RangeError(`depth ${depth} is not 0 to ${MAX_HOPS - 1}`)
    return found
  }
}

/** A cell's header. */
export const CELL = span(NONCE_BYTES, NONCE_BYTES, 8, CELL_TAIL)
/** A message's header and content. */
export const MESSAGE = span(NONCE_BYTES, NONCE_BYTES, PACKET_SIZE - NONCE_BYTES - TAG_BYTES)

/** Content and kind of the unit of hop `depth` at the head of the body (a relay's case; its counter stands at offset 36). */
export const unitSpan = ofDepths((depth) => unit(depth, HEADER_SIZE + UNIT_COUNTER))
/** The same with the plaintext at the very head of another slot's body: what a relay passes on. */
export const movedSpan = ofDepths((depth) => unit(depth, HEADER_SIZE + UNIT_COUNTER, HEADER_SIZE))
/** The unit of hop `depth` inside the units of all hops before it (a client's case; its counter stands at offset 36 + 8 depth). */
export const nestedSpan = ofDepths((depth) => unit(depth, HEADER_SIZE + UNIT_COUNTER * (depth + 1)))

/** Where a unit's kind stands: behind its content. */
export function kindAt({ plain, length }: Span): number {
  return plain + length - 1
}

/** How many spans there are. */
export const SPANS = made

function unit(depth: number, sealed: number, plain = sealed): Span {
  return span(plain, sealed, unitLength(depth) - UNIT_COUNTER - TAG_BYTES)
}
