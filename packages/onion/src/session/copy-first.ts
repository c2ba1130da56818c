/** Bytes below which a copy by hand costs less than a view of them (some 60 ns). */
const FEW = 64

/** Copies the first `length` bytes of `from` to `at` of `to`; full ones and short ones without an object for it. */
export function copyFirst(from: Uint8Array, length: number, to: Uint8Array, at: number): void {
  if (length === from.length) to.set(from, at)
  else if (length > FEW) to.set(from.subarray(0, length), at)
  else for (let i = 0; i < length; i++) to[at + i] = from[i] as number
}
