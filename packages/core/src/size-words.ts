/** Units of sizes in bytes, the larger first. */
export const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['TB', 1e12],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['kB', 1e3],
  ['B', 1],
]

/** A size without rounding, in the largest unit of which it is a whole number: `1 GiB`, `500 GB`, `1073741825 B`. */
export function sizeWords(bytes: number): string {
  const [unit, factor] = SIZE_UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? ['B', 1]
  return `${bytes / factor} ${unit}`
}
