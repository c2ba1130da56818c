import { createCipheriv } from 'node:crypto'

/** Bytes of a seed: a key of AES-256. */
export const BURST_SEED = 32
const ZERO_COUNTER = new Uint8Array(16)

/**
 * Bytes that nothing on the way makes smaller, and that nobody has before the seed is known: the key stream of AES-256 in counter
 * mode (NIST SP 800-38A, section 6.5) from a counter of zero.
 * @param seed 32 bytes
 */
export function burstData(seed: Uint8Array, length: number): Uint8Array {
  return createCipheriv('aes-256-ctr', seed, ZERO_COUNTER).update(new Uint8Array(length))
}
