import { utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'

const POSITION = utf8('weft:position:v2\0')

/**
 * Where a key stands by a beacon, 32 bytes: SHA-256("weft:position:v2\0" || public key || beacon). With a beacon later
 * than the request for admission nobody can try keys until one falls where it is wanted (docs/specs/beacon.md, Position).
 * @param publicKey 32 bytes
 * @param beacon 32 bytes
 */
export function beaconPosition(publicKey: Uint8Array, beacon: Uint8Array): Uint8Array {
  return sha256(POSITION, publicKey, beacon)
}
