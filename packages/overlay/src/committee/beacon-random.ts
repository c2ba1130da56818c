import { type Random, concatBytes, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'

const SEED = utf8('weft:beacon-random:v1\0')
const BLOCK = 32

/**
 * A stream of bytes that everyone draws alike from a beacon: MGF1 with SHA-256 (RFC 8017, appendix B.2.1) over a seed of
 * the beacon and what it is drawn for. Public, so nothing secret may come from it.
 * @param beacon 32 bytes
 * @param use separates the draws from one beacon, such as `rotation`
 */
export function beaconRandom(beacon: Uint8Array, use: string): Random {
  const seed = concatBytes([SEED, beacon, utf8(use)])
  let counter = 0
  let block: Uint8Array = new Uint8Array(0)
  return {
    bytes(length) {
      const out = new Uint8Array(length)
      let at = 0
      while (at < length) {
        if (block.length === 0) {
          const number = new Uint8Array(4)
          new DataView(number.buffer).setUint32(0, counter++)
          block = sha256(seed, number)
        }
        const part = block.subarray(0, Math.min(BLOCK, length - at))
        out.set(part, at)
        at += part.length
        block = block.subarray(part.length)
      }
      return out
    },
  }
}
