import { toBase32 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import type { NetworkFile } from './network-file.ts'

/** The form of a network id, for parsers. */
export const NETWORK_ID = /^w[a-z2-7]{32}$/

/**
 * The name of a network: `w` and the base32 of the first 20 bytes of SHA-256 over the dag-cbor of its parsed file
 * (defaults filled in). It is part of every protocol id, so that two networks never merge.
 */
export function networkIdOf(file: NetworkFile): string {
  return `w${toBase32(sha256(encodeCanonical(file)).subarray(0, 20))}`
}
