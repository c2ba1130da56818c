/** Unsigned LEB128 as in protobuf, up to 32 bits: bytes that `value` takes. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) length++
  return length
}

/** Writes `value` at `at`; returns the offset behind it. */
export function writeVarint(value: number, out: Uint8Array, at: number): number {
  let rest = value
  let position = at
  while (rest >= 128) {
    out[position++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  out[position++] = rest
  return position
}
