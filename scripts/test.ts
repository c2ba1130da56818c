import { WeftError } from '@weft/core'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { buildDist } from './lib/build-dist.ts'
import { withCompileCache } from './lib/compile-cache.ts'
import { failWith } from './lib/fail-with.ts'
import { repositoryRoot as root } from './lib/repository-root.ts'
import { type TestPhase, runTests } from './lib/run-tests.ts'
import { type TestKind, listTestFiles } from './lib/test-files.ts'

const MINUTE_MS = 60_000
const FUZZ_SECONDS = '60'

/** Starting a network takes all cores, so those files run alone; the others two at a time and more. */
function plan(kinds: readonly TestKind[], files: (kind: TestKind) => readonly string[], width: number): TestPhase[] {
  const timeouts: Record<TestKind, number> = {
    unit: 3 * MINUTE_MS,
    fuzz: 20 * MINUTE_MS,
    integration: 12 * MINUTE_MS,
    // 10,000 simulated nodes that lose half had not healed after two hours.
    long: 240 * MINUTE_MS,
  }
  return kinds.map((kind) => {
    const isQuick = kind === 'unit' || kind === 'fuzz'
    return {
      files: files(kind),
      concurrency: isQuick ? width : 1,
      timeoutMs: timeouts[kind],
      // Networks of real processes start as they do for people.
      ...(isQuick && { env: withCompileCache(root, process.env) }),
    }
  })
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      long: { type: 'boolean', default: false },
      fuzz: { type: 'boolean', default: false },
    },
  })
  if (values.fuzz) process.env['WEFT_FUZZ_SECONDS'] ??= FUZZ_SECONDS
  if (values.long) process.env['WEFT_LONG'] ??= '1'
  await buildDist(root, { report: (line) => console.error(`build: ${line}`) })

  const kinds: TestKind[] = values.fuzz
    ? ['fuzz']
    : ['unit', 'fuzz', 'integration', ...(values.long ? ['long' as const] : [])]
  const wanted = (path: string): boolean => positionals.length === 0 || positionals.some((part) => path.includes(part))
  const all = listTestFiles(root).filter(({ path }) => wanted(path))
  const files = (kind: TestKind): string[] => all.flatMap((file) => (file.kind === kind ? [file.path] : []))

  const totals = await runTests(root, plan(kinds, files, Math.max(2, availableParallelism())))
  if (totals.get('tests') === 0) {
    throw new WeftError({
      code: 'E_NO_TESTS',
      cause: positionals.length === 0 ? 'No test ran.' : `No test file's path contains ${positionals.join(' or ')}.`,
      fix: 'Name a part of the path of a test file, or nothing for all.',
    })
  }
  // Something that a test file left open in this process must not keep a finished run waiting.
  process.exit(totals.ok ? 0 : 1)
} catch (error) {
  failWith(error)
}
