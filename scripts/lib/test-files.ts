import { listFiles } from './list-files.ts'

/** How a test file wants to be run, told by its name and place. */
export type TestKind = 'unit' | 'fuzz' | 'integration' | 'long'

export interface TestFile {
  readonly path: string
  readonly kind: TestKind
}

/**
 * All test files of the repository. `*.long.test.ts` runs only when asked for; `*.integration.test.ts` and whatever
 * lies in test/ start networks and run one after the other; `*.fuzz.test.ts` takes its time from
 * WEFT_FUZZ_SECONDS; the rest are quick.
 */
export function listTestFiles(root: string): readonly TestFile[] {
  return listFiles(root, ['packages/*/test/**/*.test.{ts,tsx}', 'scripts/test/**/*.test.ts', 'test/**/*.test.ts']).map(
    (path) => ({ path, kind: kindOf(path) }),
  )
}

function kindOf(path: string): TestKind {
  if (/\.long\.test\.tsx?$/.test(path)) return 'long'
  if (/\.fuzz\.test\.tsx?$/.test(path)) return 'fuzz'
  return path.startsWith('test/') || /\.integration\.test\.tsx?$/.test(path) ? 'integration' : 'unit'
}
