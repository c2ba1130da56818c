import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const MEDIAN_BELOW = 100
const NINE_OF_TEN_BELOW = 350

/** One concept a file; the long tail is for closed mathematics. Generated files do not count. */
export const filesStayShort: RepositoryRule = {
  name: `the median file has fewer than ${MEDIAN_BELOW} lines, nine of ten fewer than ${NINE_OF_TEN_BELOW}`,
  check(root) {
    const sizes = listFiles(root, ['packages/*/src/**/*.{ts,tsx}'])
      .filter((file) => !file.includes('/generated/'))
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
      .toSorted((a, b) => b.lines - a.lines)
    const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0
    const long = sizes.filter(({ lines }) => lines >= NINE_OF_TEN_BELOW)
    return [
      ...(median >= MEDIAN_BELOW ? [`the median file has ${median} lines: split files by concept`] : []),
      ...(long.length * 10 > sizes.length
        ? long.map(({ file, lines }) => `${file} has ${lines} lines, as have more than one file in ten: split it`)
        : []),
    ]
  },
}
