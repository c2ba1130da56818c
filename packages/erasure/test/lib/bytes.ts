/** Repeatable bytes that differ by shard and position: xorshift32 from a seed. */
function patternBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0
  const bytes = new Uint8Array(length)
  // A plain loop: Uint8Array.from with a callback took two thirds of the whole time of the kernel's tests.
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

export function patternShards(count: number, length: number, seed: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, (_, shard) => patternBytes(length, seed * 256 + shard))
}
