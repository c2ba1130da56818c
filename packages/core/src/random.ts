/** Randomness, handed in so that simulation and tests repeat from a seed. Keys always come from `systemRandom`. */
export interface Random {
  bytes(length: number): Uint8Array
}

export const systemRandom: Random = {
  bytes(length) {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(out.subarray(at, at + 65_536))
    return out
  },
}

/** Repeatable and NOT secure: xoshiro128** (Blackman and Vigna 2018), seeded by splitmix32. Tests and simulation only. */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0
  const state = new Uint32Array(4)
  for (let i = 0; i < 4; i++) {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    state[i] = (z ^ (z >>> 15)) >>> 0
  }
  const rotate = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0
  // Four numbers rather than an array of them: a simulation draws some millions.
  let [s0, s1, s2, s3] = state as unknown as [number, number, number, number]
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(s1, 5) >>> 0, 7), 9) >>> 0
    const t = (s1 << 9) >>> 0
    s2 = (s2 ^ s0) >>> 0
    s3 = (s3 ^ s1) >>> 0
    s1 = (s1 ^ s2) >>> 0
    s0 = (s0 ^ s3) >>> 0
    s2 = (s2 ^ t) >>> 0
    s3 = rotate(s3, 11)
    return result
  }
  return {
    bytes(length) {
      const out = new Uint8Array(length)
      for (let i = 0; i < length; i++) out[i] = next() & 255
      return out
    },
  }
}

/** A uniform integer in [0, below); rejection sampling, no modulo bias. */
export function randomInt(random: Random, below: number): number {
  if (!Number.isSafeInteger(below) || below < 1 || below > 2 ** 32)
    throw new RangeError(`randomInt: below must be 1 to 2^32, got ${below}`)
  const limit = 2 ** 32 - (2 ** 32 % below)
  for (;;) {
    const bytes = random.bytes(4)
    const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
    if (value < limit) return value % below
  }
}

/** Fisher and Yates; returns a new array. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1)
    const swap = out[i] as T
    out[i] = out[j] as T
    out[j] = swap
  }
  return out
}
