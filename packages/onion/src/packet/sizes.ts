/** Sizes of docs/specs/packets.md, in bytes. */

/** Every UDP payload. */
export const PACKET_SIZE = 1440
/** Receiver index 4, protected counter 8, sealed cell header 8, tag 16. */
export const HEADER_SIZE = 36
export const BODY_SIZE = PACKET_SIZE - HEADER_SIZE
/** What one circuit layer adds: counter 8, kind 1, tag 16. */
const LAYER_OVERHEAD = 25
export const MIN_HOPS = 2
export const MAX_HOPS = 5

/** Length of a layer unit at hop `depth` (0 at the entry). */
export function unitLength(depth: number): number {
  return BODY_SIZE - LAYER_OVERHEAD * depth
}

/** Content that a layer unit at hop `depth` carries, without its kind. */
export function payloadLength(depth: number): number {
  return unitLength(depth) - LAYER_OVERHEAD
}
