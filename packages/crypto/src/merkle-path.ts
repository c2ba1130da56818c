import { concatBytes } from '@weft/core'

const HASH = 32

/** A path of hashes end to end, as messages carry it. */
export function concatPath(path: readonly Uint8Array[]): Uint8Array {
  return concatBytes([...path])
}

/** The hashes of such a path; undefined when the bytes are none. Views. */
export function splitPath(bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes.length % HASH !== 0) return undefined
  return Array.from({ length: bytes.length / HASH }, (_, at) => bytes.subarray(at * HASH, (at + 1) * HASH))
}
