import { type Random, seededRandom, systemRandom, toHex, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'

/** A fresh seed for a devnet of which none was asked for: 16 random bytes as hex. */
export function randomSeed(): string {
  return toHex(systemRandom.bytes(16))
}

/**
 * 32 bytes for one use of a devnet's seed. Whoever knows the seed knows every key of the devnet: that is the point
 * of a seed, and why such keys only ever name nodes on a loopback address.
 */
export function seedFor(seed: string, purpose: string): Uint8Array {
  return sha256(utf8(`weft devnet v1\0${seed}\0${purpose}`))
}

/** Repeatable numbers for one use of the seed, for what is no secret (places, addresses). */
export function randomFor(seed: string, purpose: string): Random {
  const bytes = seedFor(seed, purpose)
  return seededRandom(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0))
}
