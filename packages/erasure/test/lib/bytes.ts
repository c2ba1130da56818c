/** Repeatable bytes that differ by shard and position: xorshift32 from a seed. */
function patternBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

export function patternShards(count: number, length: number, seed: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, (_, shard) => patternBytes(length, seed * 256 + shard))
}
