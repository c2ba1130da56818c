import { type Random, concatBytes, equalBytes, randomInt } from '@weft/core'

/** Changes at a time, at most. */
const MOST = 4

/** Bytes that differ from these: bits turned, bytes put in, left out, doubled, or taken from elsewhere among them. */
export function mutateBytes(random: Random, original: Uint8Array): Uint8Array {
  for (;;) {
    let bytes = original
    for (let left = 1 + randomInt(random, MOST); left > 0; left--) bytes = changeOnce(random, bytes)
    if (!equalBytes(bytes, original)) return bytes
  }
}

function changeOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = randomInt(random, bytes.length + 1)
  const until = Math.min(bytes.length, at + 1 + randomInt(random, 40))
  const [before, piece, rest] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)]
  switch (randomInt(random, 6)) {
    case 0:
      return concatBytes([before, random.bytes(1 + randomInt(random, 40)), bytes.subarray(at)])
    case 1:
      return concatBytes([before, rest])
    case 2:
      return concatBytes([before, piece, piece, rest])
    case 3: {
      const from = randomInt(random, bytes.length + 1)
      return concatBytes([before, bytes.subarray(from, from + piece.length), rest])
    }
    default: {
      const turned = bytes.slice()
      const bit = randomInt(random, 8 * Math.max(1, turned.length))
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return turned
    }
  }
}
