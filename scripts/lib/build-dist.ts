import { WeftError, isWeftError, messageOf } from '@weft/core'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DASHBOARD, bundleDashboard } from './bundle-dashboard.ts'
import { PROGRAMS, bundlePrograms, bundleWorkers } from './bundle-programs.ts'
import { takeExclusiveLock } from './exclusive-lock.ts'
import { generateAll } from './generate-all.ts'
import { hashFiles } from './hash-files.ts'
import { listFiles } from './list-files.ts'
import { replaceDirectory, restoreDirectory } from './replace-directory.ts'
import { readStamp, writeStamp } from './stamp.ts'

export interface BuildOptions {
  /** Builds the entries that exist and names the others, instead of refusing. For trees that are being written. */
  readonly partial?: boolean
  /** Told what is being done, a line each. */
  readonly report: (line: string) => void
}

/** Whatever the bundles depend on besides the installed packages, which the lock file stands for. */
const SOURCES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'packages/*/package.json',
  'packages/*/{src,public,proto}/**/*',
  'scripts/build.ts',
  'scripts/lib/{build-dist,bundle-*}.ts',
]

/**
 * Brings dist/ up to date: the command and the daemon, their workers and the dashboard. Does nothing when no source
 * changed. The old dist/ stays whole until the new one is; builds at the same time wait for each other.
 * @returns true when something was built
 * @throws WeftError E_BUILD_ENTRY when an entry is missing, E_BUILD when a source does not compile
 */
export async function buildDist(root: string, options: BuildOptions): Promise<boolean> {
  using _lock = takeExclusiveLock(join(root, 'node_modules/.cache/weft-build.lock'))
  const dist = join(root, 'dist')
  restoreDirectory(dist)
  for (const { name, outcome } of await generateAll(root)) {
    if (!outcome.endsWith('unchanged')) options.report(`generated ${name}: ${outcome}`)
  }

  const entries = [...Object.values(PROGRAMS), DASHBOARD]
  const missing = entries.filter((entry) => !existsSync(join(root, entry)))
  if (missing.length > 0) refuseOrReport(missing, options)

  const hash = hashFiles(root, listFiles(root, SOURCES), missing)
  if (readStamp(join(dist, '.stamp')) === hash) return false

  const started = performance.now()
  options.report('bundling')
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const staging = mkdtempSync(join(cache, 'weft-dist-'))
  try {
    const present = entries.filter((entry) => !missing.includes(entry))
    await Promise.all([
      bundlePrograms(root, present, staging),
      bundleWorkers(root, staging),
      ...(present.includes(DASHBOARD) ? [bundleDashboard(root, join(staging, 'dashboard'))] : []),
    ])
    writeStamp(join(staging, '.stamp'), hash)
    // A temporary directory is its maker's alone; what is installed may be run by everyone.
    chmodSync(staging, 0o755)
    replaceDirectory(dist, staging)
  } catch (error) {
    throw isWeftError(error) ? error : compileError(error)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  options.report(`built in ${((performance.now() - started) / 1_000).toFixed(1)} s`)
  return true
}

function refuseOrReport(missing: readonly string[], { partial = false, report }: BuildOptions): void {
  if (partial) {
    report(`left out, not there: ${missing.join(', ')}`)
    return
  }
  throw new WeftError({
    code: 'E_BUILD_ENTRY',
    cause: `Missing: ${missing.join(', ')}.`,
    fix: 'Restore it from git, or build the rest with npm run build -- --partial.',
    details: { missing },
  })
}

function compileError(error: unknown): WeftError {
  return new WeftError({
    code: 'E_BUILD',
    cause: `The sources do not bundle: ${messageOf(error)}`,
    fix: "Correct the named source, or run 'npm ci' when a package is missing.",
    origin: error,
  })
}
