/** Of the segments of each object: two go into logs, one into a file. */
export const lengths: readonly number[] = [3_000, 280_000, 70_000]

export function bytesOf(number: number, segment: number): Uint8Array {
  return new Uint8Array(lengths[segment] ?? 0).fill((number * 7 + segment) % 251)
}
